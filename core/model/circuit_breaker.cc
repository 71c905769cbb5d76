#include "core/model/circuit_breaker.h"

#include <algorithm>

namespace poller {
namespace {

// Far above any `full`: from here on the ramp is over.
constexpr int kRampEnd = 1 << 20;

}  // namespace

CircuitBreaker::CircuitBreaker(const BreakerOptions& options, const BreakerRecord& record,
                               const Instant& now)
    : options_(options), record_(record) {
  if (record_.state != BreakerState::kOpen) return;
  const absl::Duration longest = options_.open * (1 + options_.jitter);
  const absl::Duration wait =
      std::clamp(record_.retry_at - now.wall, absl::ZeroDuration(), longest);
  retry_at_mono_ = now.mono + wait;
  record_.retry_at = now.wall + wait;
}

CircuitBreaker::Admission CircuitBreaker::Peek(const Instant& now) const {
  if (record_.state == BreakerState::kClosed) {
    return {.admitted = true, .probe = false, .wait = {}};
  }
  if (record_.state == BreakerState::kOpen && now.mono < retry_at_mono_) {
    return {.admitted = false, .probe = false, .wait = retry_at_mono_ - now.mono};
  }
  if (record_.state == BreakerState::kHalfOpen && probe_out_) {
    return {.admitted = false, .probe = false, .wait = absl::InfiniteDuration()};
  }
  return {.admitted = true, .probe = true, .wait = {}};
}

CircuitBreaker::Admission CircuitBreaker::Admit(const Instant& now) {
  const Admission admission = Peek(now);
  if (!admission.probe) return admission;
  if (record_.state == BreakerState::kOpen) {
    record_.state = BreakerState::kHalfOpen;
    record_.successes = 0;
  }
  probe_out_ = true;
  return admission;
}

void CircuitBreaker::RecordSuccess(const Instant&) {
  switch (record_.state) {
    case BreakerState::kClosed:
      record_.failures = 0;
      record_.last_error.clear();
      if (ramp_ > 0) ramp_ = ramp_ < kRampEnd ? ramp_ * 2 : 0;
      return;
    case BreakerState::kOpen:
      return;  // Sent before it opened: only a probe says how the receiver is now.
    case BreakerState::kHalfOpen:
      probe_out_ = false;
      if (++record_.successes < options_.successes) return;
      record_ = BreakerRecord{};
      ramp_ = 1;
      return;
  }
}

void CircuitBreaker::RecordFailure(const Instant& now, double unit, std::string_view error) {
  switch (record_.state) {
    case BreakerState::kClosed:
      record_.last_error = error;
      if (++record_.failures < options_.failures) return;
      record_.opened_at = now.wall;
      Open(now, unit);
      return;
    case BreakerState::kOpen:
      return;  // Sent before it opened: it must not put off the probe.
    case BreakerState::kHalfOpen:
      record_.last_error = error;
      Open(now, unit);
      return;
  }
}

void CircuitBreaker::Abandon() { probe_out_ = false; }

void CircuitBreaker::Reset() {
  record_ = BreakerRecord{};
  probe_out_ = false;
  ramp_ = 0;
}

int CircuitBreaker::Ramp(int full) const { return ramp_ == 0 ? full : std::min(ramp_, full); }

void CircuitBreaker::Open(const Instant& now, double unit) {
  const absl::Duration wait = options_.open * (1 + options_.jitter * (2 * unit - 1));
  record_.state = BreakerState::kOpen;
  record_.successes = 0;
  record_.retry_at = now.wall + wait;
  retry_at_mono_ = now.mono + wait;
  probe_out_ = false;
  ramp_ = 0;
}

}  // namespace poller
