// When a connection may be polled next. Pure: time and chance are passed in.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/model/circuit_breaker.h"
#include "core/model/connection.h"
#include "core/polling/pass_verdict.h"
#include "core/polling/polling_options.h"
#include "core/storage/connection_store.h"

namespace poller {

// Schedule, breaker, Retry-After and suspension of one connection's polls. Waits run on the
// monotonic clock. Not synchronised.
class PollGate {
 public:
  explicit PollGate(const PollingOptions& options) : options_(options) {}

  // Call it with every state that was read from the store, before anything else: continues what was
  // stored at the first, and notices a suspension that began or ended elsewhere.
  void Load(const ConnectionWithState& connection, const Instant& now);
  // How long until the loop may begin a pass; zero: now; InfiniteDuration: paused.
  absl::Duration Wait(const ConnectionWithState& connection, const Instant& now) const;

  // Why the loop would not poll, were a pass due: "paused", "suspended", or "odoo" (its breaker is
  // not closed, or it asked for a rest); empty: it would. As of the newest Load.
  std::string_view HeldBy(const Instant& now) const;
  // Odoo asked for a rest.
  void Hold(absl::Duration duration, const Instant& now);

  // The first pass is due in `delay`.
  void FirstIn(absl::Duration delay, const Instant& now) { next_start_ = now.mono + delay; }
  // Somebody asked to look again: due now, as far as breaker, Retry-After and suspension allow.
  void Hurry(const Instant& now) { next_start_ = now.mono; }
  // A pass begins. `forced`: past all that holds the loop.
  void Begin(const Instant& now, bool forced);
  // It ended. `unit` in [0, 1) are random draws. Returns what follows for the connection's record.
  PassVerdict End(const absl::Status& end, const ConnectionSettings& settings, const Instant& now,
                  double unit, double jitter_unit);
  // It ended without saying anything about Odoo (a stop, an edit): the next is due at once.
  void Interrupted() { breaker_->Abandon(); }
  // The breaker closes and every hold ends: an operator said so, or the connection calls another
  // Odoo.
  void Reset(const Instant& now);

  const BreakerRecord& breaker() const { return breaker_->record(); }

 private:
  const PollingOptions& options_;
  std::optional<CircuitBreaker> breaker_;  // set by the first Load
  absl::Duration started_, next_start_, hold_until_, suspended_until_;
  bool paused_ = false, suspended_ = false, forced_ = false, credentials_refused_ = false;
};

}  // namespace poller
