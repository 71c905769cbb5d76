// What the executables of the simulated world share: they end on SIGTERM and SIGINT, and by
// themselves after a while, so that none is ever left behind.
#pragma once

#include <functional>

#include "absl/time/time.h"

namespace poller::test {

// To be called before any thread starts: from then on the signals wait for `RunUntilStopped`.
void HoldStopSignals();
// Calls `tick` about every `period` until a stop signal comes or `at_most` has passed.
void RunUntilStopped(absl::Duration at_most, absl::Duration period,
                     const std::function<void()>& tick);

}  // namespace poller::test
