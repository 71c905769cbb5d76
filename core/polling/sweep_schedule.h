// When a connection's next sweep is due. Pure: time and chance are passed in.
#pragma once

#include "absl/time/time.h"
#include "core/model/connection.h"

namespace poller {

struct SweepTiming {
  absl::Duration interval = absl::Hours(1);  // start to start
  double jitter = 0.1;
};

// Waits run on the monotonic clock; how long the last sweep was ago is told by Odoo's clock (the
// marks), so that a process that restarts often sweeps all the same. Not synchronised.
class SweepSchedule {
 public:
  explicit SweepSchedule(SweepTiming timing) : timing_(timing) {}

  // The first sweep of this run is to be placed: the connection has begun.
  bool NeedsPlace(const ConnectionState& state) const;
  // Places it. `unit` in [0, 1) is the random draw: overdue sweeps, which all connections have
  // after a long stop, are spread over a quarter of the interval.
  void Place(const ConnectionState& state, absl::Duration now, double unit);
  // The connection has not begun any more: it is to be placed anew.
  void Forget() { due_ = absl::InfiniteDuration(); }
  // Due now: the connection waits for its sweep.
  void Hurry(absl::Duration now) { due_ = now; }
  // Zero: now. InfiniteDuration: the connection has not begun.
  absl::Duration Wait(absl::Duration now) const;

  // One began at `start` and ended: the next is due an interval after the start. Failed: again
  // after a twelfth of it.
  void Ended(bool complete, absl::Duration start, absl::Duration now, double unit);

 private:
  SweepTiming timing_;
  absl::Duration due_ = absl::InfiniteDuration();
};

}  // namespace poller
