#include "core/polling/poll_gate.h"

#include <algorithm>

#include "core/base/status.h"

namespace poller {

void PollGate::Load(const ConnectionWithState& connection, const Instant& now) {
  const bool first = !breaker_.has_value();
  if (first) breaker_.emplace(options_.breaker, connection.state.odoo_breaker, now);
  const bool suspended = connection.state.suspension.has_value();
  if (suspended && !suspended_) {
    // After a restart the last probe counts, so that a process that restarts in a loop does not
    // hammer the login.
    const absl::Time last = first ? connection.state.last_poll.at : now.wall;
    const absl::Duration wait = std::clamp(last + options_.suspended_probe - now.wall,
                                           absl::ZeroDuration(), options_.suspended_probe);
    suspended_until_ = now.mono + wait;
  }
  if (!suspended && suspended_) credentials_refused_ = false;  // an edit ended it: two new tries
  suspended_ = suspended;
  paused_ = connection.connection.settings.paused_polling;
}

std::string_view PollGate::HeldBy(const Instant& now) const {
  if (paused_) return "paused";
  if (suspended_) return "suspended";
  const bool closed = breaker_.has_value() && breaker_->record().state == BreakerState::kClosed;
  return !closed || now.mono < hold_until_ ? "odoo" : "";
}

void PollGate::Hold(absl::Duration duration, const Instant& now) {
  hold_until_ = std::max(hold_until_, now.mono + duration);
}

absl::Duration PollGate::Wait(const ConnectionWithState& connection, const Instant& now) const {
  if (connection.connection.settings.paused_polling) return absl::InfiniteDuration();
  absl::Duration until = std::max(next_start_, hold_until_);
  if (suspended_) until = std::max(until, suspended_until_);
  const CircuitBreaker::Admission admission = breaker_->Peek(now);
  const absl::Duration breaker = admission.admitted ? absl::ZeroDuration() : admission.wait;
  return std::max({absl::ZeroDuration(), until - now.mono, breaker});
}

void PollGate::Begin(const Instant& now, bool forced) {
  started_ = now.mono;
  forced_ = forced && !breaker_->Peek(now).admitted;
  if (!forced_) breaker_->Admit(now);
}

PassVerdict PollGate::End(const absl::Status& end, const ConnectionSettings& settings,
                          const Instant& now, double unit, double jitter_unit) {
  const PassVerdict verdict = JudgePass(end, credentials_refused_);
  credentials_refused_ = verdict.credentials_refused;
  switch (verdict.breaker) {
    case BreakerEffect::kNone:
      breaker_->Abandon();
      break;
    case BreakerEffect::kSuccess:
      // A whole pass that a person asked for while the breaker was open says more than its probes
      // would.
      if (forced_) breaker_->Reset();
      breaker_->RecordSuccess(now);
      break;
    case BreakerEffect::kFailure:
      breaker_->RecordFailure(now, unit, Message(end));
      break;
  }
  forced_ = false;
  if (end.ok()) hold_until_ = absl::ZeroDuration();
  if (verdict.hold > absl::ZeroDuration()) hold_until_ = now.mono + verdict.hold;
  suspended_until_ = now.mono + options_.suspended_probe;
  next_start_ =
      NextStart(started_, now.mono, settings.interval, options_.interval_jitter, jitter_unit);
  return verdict;
}

void PollGate::Reset(const Instant& now) {
  if (breaker_.has_value()) breaker_->Reset();
  hold_until_ = absl::ZeroDuration();
  suspended_until_ = now.mono;
  credentials_refused_ = false;
  forced_ = false;
  next_start_ = now.mono;
}

}  // namespace poller
