// What a connection knows of its receiver, and what it may therefore send now.
//
// Joins the circuit breaker, Retry-After, the backoff of 429, and "gone". Pure: time and chance are
// passed in. Not synchronised.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/delivery/backoff.h"
#include "core/delivery/failure_class.h"
#include "core/model/circuit_breaker.h"
#include "core/model/connection.h"

namespace poller {

struct ReceiverLegOptions {
  BreakerOptions breaker;
  BackoffOptions backoff;
  absl::Duration gone_probe = absl::Minutes(15);
};

class ReceiverLeg {
 public:
  // Continues from what was stored.
  ReceiverLeg(const ReceiverLegOptions& options, const BreakerRecord& breaker,
              std::optional<absl::Time> gone_since, const Instant& now);

  struct Permit {
    enum class Kind {
      kOpen,   // up to `limit` in flight
      kProbe,  // one, if no other of this receiver's origin is out
      kHeld,   // none but those that an operator forces
    };
    Kind kind = Kind::kHeld;
    int limit = 0;
    absl::Duration wait;   // kHeld: ask again then; Infinite: when a result is in
    std::string_view why;  // kHeld: a stable word
  };
  // What may be sent now. `full` is the limit of a receiver that is well.
  Permit Ask(const Instant& now, int full) const;

  // One request, from its start to its result. Give it to Answered and then to Resolved, or to
  // Abandoned.
  struct Ticket {
    absl::Duration started;
    std::uint64_t epoch = 0;
    bool breaker_probe = false;
    bool gone_probe = false;
  };
  // A request that Ask allowed by kOpen, or that an operator forces.
  Ticket Start(const Instant& now) const;
  // A request that Ask allowed by kProbe.
  Ticket StartProbe(const Instant& now);

  // An answer, or its failure, is in: what holds the leg begins at once. Returns how long it is
  // held from now on by this result; zero: not.
  absl::Duration Answered(const Ticket& ticket, const AttemptVerdict& verdict, const Instant& now,
                          double unit);
  // And it is known whether the order was to blame. `error` is shown to operators.
  void Resolved(const Ticket& ticket, const AttemptVerdict& verdict, bool blamed_order,
                const Instant& now, double unit, std::string_view error);
  // The request was not made, or its result does not matter any more.
  void Abandoned(const Ticket& ticket);

  // Closes the breaker and ends every hold: an operator says so, or the receiver is another one.
  void Reset();
  // Ends "gone" alone.
  void NotGone();

  const BreakerRecord& breaker() const { return breaker_.record(); }
  std::optional<absl::Time> gone_since() const { return gone_since_; }

 private:
  void FeedBreaker(const Ticket& ticket, const AttemptVerdict& verdict, bool blamed_order,
                   const Instant& now, double unit, std::string_view error);

  ReceiverLegOptions options_;
  CircuitBreaker breaker_;
  // Counts openings, closings and resets: a result that began before one says nothing of the time
  // behind it.
  std::uint64_t epoch_ = 0;
  absl::Duration held_until_ = -absl::InfiniteDuration();  // monotonic
  int rate_limits_ = 0;  // 429 without Retry-After in a row, those in flight together counted once
  absl::Duration rate_limited_at_ = -absl::InfiniteDuration();
  std::optional<absl::Time> gone_since_;
  absl::Duration gone_probe_at_;  // monotonic
  bool gone_probe_out_ = false;
};

}  // namespace poller
