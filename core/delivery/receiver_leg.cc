#include "core/delivery/receiver_leg.h"

#include <algorithm>

namespace poller {

ReceiverLeg::ReceiverLeg(const ReceiverLegOptions& options, const BreakerRecord& breaker,
                         std::optional<absl::Time> gone_since, const Instant& now)
    : options_(options), breaker_(options.breaker, breaker, now), gone_since_(gone_since) {
  if (!gone_since_.has_value()) return;
  const absl::Duration left = *gone_since_ + options_.gone_probe - now.wall;
  gone_probe_at_ = now.mono + std::clamp(left, absl::ZeroDuration(), options_.gone_probe);
}

ReceiverLeg::Permit ReceiverLeg::Ask(const Instant& now, int full) const {
  const auto held = [](absl::Duration wait, std::string_view why) {
    return Permit{.kind = Permit::Kind::kHeld, .limit = 0, .wait = wait, .why = why};
  };
  if (now.mono < held_until_) return held(held_until_ - now.mono, "retry_after");
  if (gone_since_.has_value()) {
    if (gone_probe_out_) return held(absl::InfiniteDuration(), "gone");
    if (now.mono < gone_probe_at_) return held(gone_probe_at_ - now.mono, "gone");
  }
  const CircuitBreaker::Admission admission = breaker_.Peek(now);
  if (!admission.admitted) return held(admission.wait, "circuit_open");
  if (admission.probe || gone_since_.has_value()) {
    return {.kind = Permit::Kind::kProbe, .limit = 1, .wait = {}, .why = {}};
  }
  return {.kind = Permit::Kind::kOpen, .limit = breaker_.Ramp(full), .wait = {}, .why = {}};
}

ReceiverLeg::Ticket ReceiverLeg::Start(const Instant& now) const {
  return {.started = now.mono, .epoch = epoch_, .breaker_probe = false, .gone_probe = false};
}

ReceiverLeg::Ticket ReceiverLeg::StartProbe(const Instant& now) {
  Ticket ticket = Start(now);
  ticket.breaker_probe = breaker_.Admit(now).probe;
  ticket.gone_probe = gone_since_.has_value();
  if (ticket.gone_probe) gone_probe_out_ = true;
  return ticket;
}

absl::Duration ReceiverLeg::Answered(const Ticket& ticket, const AttemptVerdict& verdict,
                                     const Instant& now, double unit) {
  absl::Duration until = -absl::InfiniteDuration();
  if (verdict.hold.has_value()) {
    until = now.mono + *verdict.hold;
  } else if (verdict.rate_limited && ticket.started > rate_limited_at_) {
    until = now.mono + RetryDelay(options_.backoff, ++rate_limits_, unit);
    rate_limited_at_ = now.mono;
  } else if (verdict.rate_limited) {
    until = held_until_;
  } else if (verdict.answered) {
    rate_limits_ = 0;
  }
  held_until_ = std::max(held_until_, until);
  return std::max(until - now.mono, absl::ZeroDuration());
}

void ReceiverLeg::Resolved(const Ticket& ticket, const AttemptVerdict& verdict, bool blamed_order,
                           const Instant& now, double unit, std::string_view error) {
  if (ticket.gone_probe) gone_probe_out_ = false;
  if (verdict.gone && !blamed_order) {
    if (!gone_since_.has_value()) gone_since_ = now.wall;
    gone_probe_at_ = now.mono + options_.gone_probe;
  } else if (verdict.answered) {
    NotGone();
  } else if (ticket.gone_probe) {
    gone_probe_at_ = now.mono + options_.gone_probe;
  }
  FeedBreaker(ticket, verdict, blamed_order, now, unit, error);
}

void ReceiverLeg::Abandoned(const Ticket& ticket) {
  if (ticket.gone_probe) gone_probe_out_ = false;
  if (ticket.breaker_probe && ticket.epoch == epoch_) breaker_.Abandon();
}

void ReceiverLeg::Reset() {
  breaker_.Reset();
  ++epoch_;
  held_until_ = -absl::InfiniteDuration();
  rate_limits_ = 0;
  NotGone();
}

void ReceiverLeg::NotGone() {
  gone_since_.reset();
  gone_probe_out_ = false;
}

void ReceiverLeg::FeedBreaker(const Ticket& ticket, const AttemptVerdict& verdict,
                              bool blamed_order, const Instant& now, double unit,
                              std::string_view error) {
  const BreakerState before = breaker_.state();
  if (ticket.epoch != epoch_) return;
  if (before != BreakerState::kClosed && !ticket.breaker_probe) return;
  using Receiver = AttemptVerdict::Receiver;
  const Receiver receiver = verdict.receiver == Receiver::kSuspect
                                ? (blamed_order ? Receiver::kSilent : Receiver::kFailed)
                                : verdict.receiver;
  switch (receiver) {
    case Receiver::kWell:
      breaker_.RecordSuccess(now);
      break;
    case Receiver::kFailed:
      breaker_.RecordFailure(now, unit, error);
      break;
    case Receiver::kSilent:
    case Receiver::kSuspect:
      if (ticket.breaker_probe) breaker_.Abandon();
      break;
  }
  if (breaker_.state() != before) ++epoch_;
}

}  // namespace poller
