// The circuit breaker: stops calling what keeps failing, and finds out when it is well again.
//
//   state      event                              next state   what else
//   closed     success                            closed       failures = 0
//   closed     failure, fewer than `failures`     closed       failures + 1
//   closed     the `failures`-th in a row         open         retry_at = now + open (jittered)
//   open       admission before retry_at          open         refused; says how long to wait
//   open       admission at or after retry_at     half-open    admitted: the probe
//   half-open  admission while a probe is out     half-open    refused
//   half-open  success, fewer than `successes`    half-open    successes + 1
//   half-open  the `successes`-th                 closed       the rate is ramped (see Ramp)
//   half-open  failure                            open         retry_at = now + open (jittered)
//   any        reset                              closed       failures = successes = 0
//
// Both legs of a connection use it. Pure: time and chance are passed in. Not synchronised.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/model/connection.h"

namespace poller {

struct BreakerOptions {
  int failures = 5;                          // consecutive, to open
  absl::Duration open = absl::Seconds(120);  // until the next probe
  int successes = 2;                         // consecutive probes, to close
  double jitter = 0.1;                       // share by which `open` is spread
};

class CircuitBreaker {
 public:
  explicit CircuitBreaker(const BreakerOptions& options) : options_(options) {}
  // Continues from what was stored. A remaining wait is at most `open` with its jitter, whatever
  // the wall clock did meanwhile; a probe that was out at the crash is forgotten.
  CircuitBreaker(const BreakerOptions& options, const BreakerRecord& record, const Instant& now);

  struct Admission {
    bool admitted = false;
    bool probe = false;   // call RecordSuccess, RecordFailure or Abandon for it
    absl::Duration wait;  // refused while open: how long; refused because a probe is out: Infinite,
                          // its end changes the state
  };
  // Asks to make one call.
  Admission Admit(const Instant& now);
  // What Admit would say, without asking.
  Admission Peek(const Instant& now) const;
  void RecordSuccess(const Instant& now);
  // `unit` in [0, 1) is the random draw for the jitter. `error` is shown to operators.
  void RecordFailure(const Instant& now, double unit, std::string_view error);
  // A probe that was admitted but not made, or whose result says nothing.
  void Abandon();
  void Reset();

  BreakerState state() const { return record_.state; }
  const BreakerRecord& record() const { return record_; }
  // Calls at a time after closing: 1, then doubled with each success until `full`.
  int Ramp(int full) const;

 private:
  void Open(const Instant& now, double unit);
  BreakerOptions options_;
  BreakerRecord record_;
  absl::Duration retry_at_mono_;
  bool probe_out_ = false;
  int ramp_ = 0;  // 0: not ramping
};

}  // namespace poller
