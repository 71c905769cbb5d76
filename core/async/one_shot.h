// A value that one side sets once and the other side awaits.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "core/async/task.h"

namespace poller {

// Copies share one slot. `Set` may be called from any thread, before or after the wait begins; the
// first call wins. `Get` is awaited at most once, on a strand or a single-threaded executor.
template <class T>
class OneShot {
 public:
  OneShot() : state_(std::make_shared<State>()) {}

  void Set(T value) const {
    std::shared_ptr<boost::asio::steady_timer> waiting;
    {
      absl::MutexLock lock(&state_->mu);
      if (state_->value.has_value()) return;
      state_->value.emplace(std::move(value));
      waiting = state_->waiting.lock();
    }
    if (waiting) Wake(std::move(waiting));
  }

  Task<T> Get() const {
    auto state = state_;
    auto executor = co_await boost::asio::this_coro::executor;
    auto timer = std::make_shared<boost::asio::steady_timer>(
        executor, boost::asio::steady_timer::time_point::max());
    bool ready = false;
    {
      absl::MutexLock lock(&state->mu);
      ready = state->value.has_value();
      if (!ready) state->waiting = timer;
    }
    // The wake-up is posted to the executor on which we run, so it cannot come between the check
    // above and this wait.
    if (!ready) co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    absl::MutexLock lock(&state->mu);
    co_return std::move(*state->value);
  }

 private:
  struct State {
    absl::Mutex mu;
    std::optional<T> value ABSL_GUARDED_BY(mu);
    // The waiting coroutine owns it: a slot that outlives an abandoned io_context must not own a
    // timer of it.
    std::weak_ptr<boost::asio::steady_timer> waiting ABSL_GUARDED_BY(mu);
  };
  static void Wake(std::shared_ptr<boost::asio::steady_timer> timer) {
    auto executor = timer->get_executor();
    boost::asio::post(executor, [timer = std::move(timer)] { timer->cancel(); });
  }
  std::shared_ptr<State> state_;
};

}  // namespace poller
