#include "core/async/task_group.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace poller {
namespace {

void AbortOn(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "a task ended with an exception: %s\n", e.what());
  } catch (...) {
    std::fputs("a task ended with an exception of an unknown type\n", stderr);
  }
  std::abort();
}

}  // namespace

TaskGroup::TaskGroup(Executor executor) : executor_(std::move(executor)) {}

TaskGroup::~TaskGroup() { WaitFor(absl::InfiniteDuration()); }

void TaskGroup::Spawn(Task<void> task) {
  {
    absl::MutexLock lock(&state_->mu);
    ++state_->running;
  }
  auto done = [state = state_](const std::exception_ptr& error) {
    if (error) AbortOn(error);
    absl::MutexLock lock(&state->mu);
    --state->running;
  };
  boost::asio::co_spawn(boost::asio::make_strand(executor_), std::move(task), std::move(done));
}

int TaskGroup::Running() const {
  absl::MutexLock lock(&state_->mu);
  return state_->running;
}

bool TaskGroup::WaitFor(absl::Duration timeout) const {
  auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) { return state_->running == 0; };
  absl::MutexLock lock(&state_->mu);
  return state_->mu.AwaitWithTimeout(absl::Condition(&idle), timeout);
}

}  // namespace poller
