#include "tests/support/program.h"

#include <csignal>

#include "core/base/clock.h"

namespace poller::test {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void HoldStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void RunUntilStopped(absl::Duration at_most, absl::Duration period,
                     const std::function<void()>& tick) {
  const sigset_t signals = StopSignals();
  const absl::Duration end = SystemClock().Monotonic() + at_most;
  const timespec wait = absl::ToTimespec(period);
  while (SystemClock().Monotonic() < end) {
    if (sigtimedwait(&signals, nullptr, &wait) > 0) return;
    tick();
  }
}

}  // namespace poller::test
