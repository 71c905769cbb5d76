#include "client/ticker.h"

#include <utility>

namespace poller::client {

Ticker::Ticker(std::function<void()> work, absl::Duration every)
    : work_(std::move(work)), every_(every), thread_([this] { Run(); }) {}

Ticker::~Ticker() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  thread_.join();
}

void Ticker::Pause(bool paused) {
  absl::MutexLock lock(&mutex_);
  paused_ = paused;
}

void Ticker::Run() {
  for (;;) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &Ticker::Ready));
      if (stopped_) return;
    }
    work_();
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(this, &Ticker::Stopped), every_)) return;
  }
}

}  // namespace poller::client
