#include "core/async/sleeper.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace poller {
namespace {

namespace asio = boost::asio;

// What the sleeping coroutine really waits on: a timer without end, cancelled on the coroutine's
// own executor.
struct Waiter {
  explicit Waiter(const Executor& on)
      : executor(on), timer(on, asio::steady_timer::time_point::max()) {}
  Executor executor;
  asio::steady_timer timer;
  bool over = false;  // touched on the executor alone
};

// Weak: the sleeping coroutine owns the waiter. A Wakeup that outlives an abandoned io_context must
// not own a timer of it.
std::function<void()> Canceller(const std::shared_ptr<Waiter>& waiter) {
  return [weak = std::weak_ptr<Waiter>(waiter)] {
    auto sleeping = weak.lock();
    if (sleeping == nullptr) return;
    const Executor executor = sleeping->executor;
    asio::post(executor, [sleeping = std::move(sleeping)] {
      sleeping->over = true;
      sleeping->timer.cancel();
    });
  };
}

class SystemSleeper final : public Sleeper {
 public:
  explicit SystemSleeper(Executor executor) : executor_(std::move(executor)) {}

 protected:
  std::function<void()> After(absl::Duration delay, std::function<void()> due) override {
    // The timer is touched on its own strand alone: it is cancelled from other threads than it
    // fires on.
    auto timer = std::make_shared<asio::steady_timer>(asio::make_strand(executor_));
    asio::post(timer->get_executor(), [timer, delay, due = std::move(due)]() mutable {
      timer->expires_after(absl::ToChronoNanoseconds(delay));
      timer->async_wait([due = std::move(due), timer](const boost::system::error_code& error) {
        if (!error) due();
      });
    });
    return [timer] { asio::post(timer->get_executor(), [timer] { timer->cancel(); }); };
  }

 private:
  Executor executor_;
};

}  // namespace

void Wakeup::Notify() {
  std::function<void()> cancel;
  {
    absl::MutexLock lock(&mu_);
    notified_ = true;
    cancel = std::move(cancel_);
    cancel_ = nullptr;
  }
  if (cancel) cancel();
}

Task<bool> Sleeper::Sleep(absl::Duration delay, Wakeup* wakeup) {
  auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(executor);
  if (wakeup != nullptr) {
    absl::MutexLock lock(&wakeup->mu_);
    if (wakeup->notified_) {
      wakeup->notified_ = false;
      co_return true;
    }
    wakeup->cancel_ = Canceller(waiter);
  }
  std::function<void()> forget;
  if (delay != absl::InfiniteDuration()) {
    forget = After(delay < absl::ZeroDuration() ? absl::ZeroDuration() : delay, Canceller(waiter));
  }
  while (!waiter->over) co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (forget) forget();
  if (wakeup == nullptr) co_return false;
  absl::MutexLock lock(&wakeup->mu_);
  wakeup->cancel_ = nullptr;
  co_return std::exchange(wakeup->notified_, false);
}

std::unique_ptr<Sleeper> MakeSystemSleeper(Executor executor) {
  return std::make_unique<SystemSleeper>(std::move(executor));
}

}  // namespace poller
