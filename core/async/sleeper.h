// Waiting for time to pass, or for somebody to say that there is something to do.
#pragma once

#include <functional>
#include <memory>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/task.h"

namespace poller {

// Wakes one sleeping coroutine. `Notify` may be called from any thread; one notification is kept
// when nobody sleeps.
class Wakeup {
 public:
  void Notify();

 private:
  friend class Sleeper;
  absl::Mutex mu_;
  bool notified_ ABSL_GUARDED_BY(mu_) = false;
  std::function<void()> cancel_ ABSL_GUARDED_BY(mu_);
};

// Thread-safe.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Returns when `delay` has passed on the monotonic clock (false), or as soon as `wakeup` is
  // notified (true, and the notification is used up). `wakeup` may be null, else it outlives the
  // call and has one sleeper at a time. InfiniteDuration waits for the notification alone. Await it
  // on a strand or a single-threaded executor.
  Task<bool> Sleep(absl::Duration delay, Wakeup* wakeup = nullptr);

 protected:
  // Calls `due` once, from any thread, after `delay`. What it returns, if anything, forgets the
  // call when invoked (invoking it late or twice is harmless).
  virtual std::function<void()> After(absl::Duration delay, std::function<void()> due) = 0;
};

// Sleeps on timers of `executor`, which outlives it.
std::unique_ptr<Sleeper> MakeSystemSleeper(Executor executor);

}  // namespace poller
