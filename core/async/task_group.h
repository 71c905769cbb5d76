// The only place where a coroutine is let loose.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/task.h"

namespace poller {

// Keeps count of the tasks it started, so that a stop can wait for them. Thread-safe. An exception
// that leaves a task is a broken belief of ours: it aborts the process.
class TaskGroup {
 public:
  // `executor` outlives the group.
  explicit TaskGroup(Executor executor);
  // Waits for all tasks.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` on a strand of its own.
  void Spawn(Task<void> task);
  // Tasks that have not ended.
  int Running() const;
  // Blocks until all tasks ended (true) or `timeout` of real time has passed. Never call it on the
  // executor's threads.
  bool WaitFor(absl::Duration timeout) const;

 private:
  struct State {
    absl::Mutex mu;
    int running ABSL_GUARDED_BY(mu) = 0;
  };
  Executor executor_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace poller
