// Work that is done again and again beside what a person does.
#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace poller::client {

// Does `work` at once, and then again `every` after it was done, on a thread of its own, until it is
// destroyed, which waits for the work that is under way. Thread-safe.
class Ticker {
 public:
  Ticker(std::function<void()> work, absl::Duration every);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker();

  // Without work until it is switched off; then at once.
  void Pause(bool paused);

 private:
  void Run();
  bool Stopped() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopped_; }
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopped_ || !paused_; }

  const std::function<void()> work_;
  const absl::Duration every_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace poller::client
