#include "core/async/one_shot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/async/task_group.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

namespace asio = boost::asio;

Task<void> Store(OneShot<std::string> slot, std::string& out) { out = co_await slot.Get(); }

TEST(OneShotTest, GivesWhatWasSetBeforeTheWait) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  OneShot<std::string> slot;
  std::string got;
  slot.Set("early");
  tasks.Spawn(Store(slot, got));
  RunUntilIdle(io);
  EXPECT_EQ(got, "early");
}

TEST(OneShotTest, WakesAWaitThatBeganBefore) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  OneShot<std::string> slot;
  std::string got;
  tasks.Spawn(Store(slot, got));
  RunUntilIdle(io);
  EXPECT_EQ(got, "");
  slot.Set("late");
  RunUntilIdle(io);
  EXPECT_EQ(got, "late");
}

TEST(OneShotTest, FirstValueWins) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  OneShot<std::string> slot;
  std::string got;
  slot.Set("first");
  slot.Set("second");
  tasks.Spawn(Store(slot, got));
  RunUntilIdle(io);
  EXPECT_EQ(got, "first");
}

Task<void> Take(OneShot<std::unique_ptr<int>> slot, std::unique_ptr<int>& out) {
  out = co_await slot.Get();
}

TEST(OneShotTest, CarriesWhatCannotBeCopied) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  OneShot<std::unique_ptr<int>> slot;
  std::unique_ptr<int> got;
  tasks.Spawn(Take(slot, got));
  RunUntilIdle(io);
  slot.Set(std::make_unique<int>(7));
  RunUntilIdle(io);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 7);
}

TEST(OneShotTest, SetAfterTheWaitingContextIsGoneIsHarmless) {
  OneShot<std::string> slot;
  std::string got;
  // No TaskGroup: it would wait for the task that this test abandons.
  auto io = std::make_unique<asio::io_context>();
  const auto ignore = [](const std::exception_ptr&) {};
  asio::co_spawn(*io, Store(slot, got), ignore);
  RunUntilIdle(*io);
  io.reset();
  slot.Set("nobody hears");
  EXPECT_EQ(got, "");
}

Task<void> CountOne(OneShot<int> slot, std::atomic<int>& sum) { sum += co_await slot.Get(); }

TEST(OneShotTest, SettersAndWaitersOnDifferentThreadsAlwaysMeet) {
  constexpr int kRounds = 2000;
  asio::thread_pool pool(4);
  std::atomic<int> sum = 0;
  {
    TaskGroup tasks(pool.get_executor());
    std::vector<OneShot<int>> slots(kRounds);
    std::thread early([&] {
      for (const auto& slot : slots) slot.Set(1);
    });
    std::thread late([&] {
      for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) slot->Set(1);
    });
    for (const auto& slot : slots) tasks.Spawn(CountOne(slot, sum));
    early.join();
    late.join();
    ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  }
  EXPECT_EQ(sum, kRounds);
}

}  // namespace
}  // namespace poller
