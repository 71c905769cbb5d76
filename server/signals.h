// SIGTERM and SIGINT as a count.
#pragma once

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poller {

// Blocks the signals in the thread that makes it and in those that it starts later, and counts them
// in a thread of its own. Make one, before any other thread. The third ends the process at once,
// with status 1: whoever asks three times does not want to wait.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Returns when that many have come.
  void WaitFor(int signals);
  int count() const;

 private:
  void Listen();

  mutable absl::Mutex mu_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace poller
