#include "core/async/sleeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;

Task<void> SleepOnce(Sleeper& sleeper, absl::Duration delay, Wakeup* wakeup,
                     std::vector<std::string>& log, std::string name) {
  const bool woken = co_await sleeper.Sleep(delay, wakeup);
  log.push_back(name + (woken ? " woken" : " slept"));
}

class FakeSleeperTest : public testing::Test {
 protected:
  void Spawn(absl::Duration delay, std::string name, Wakeup* wakeup = nullptr) {
    tasks_.Spawn(SleepOnce(sleeper_, delay, wakeup, log_, std::move(name)));
    RunUntilIdle(io_);
  }

  asio::io_context io_;
  FakeClock clock_;
  FakeSleeper sleeper_{clock_, &io_};
  Wakeup wakeup_;
  std::vector<std::string> log_;
  TaskGroup tasks_{io_.get_executor()};
};

TEST_F(FakeSleeperTest, WakesInOrderOfDeadlineThenOfAsking) {
  Spawn(absl::Seconds(3), "c");
  Spawn(absl::Seconds(1), "a");
  Spawn(absl::Seconds(3), "d");
  Spawn(absl::Seconds(2), "b");
  EXPECT_EQ(sleeper_.Pending(), 4);
  sleeper_.Advance(absl::Seconds(3));
  EXPECT_THAT(log_, ElementsAre("a slept", "b slept", "c slept", "d slept"));
}

TEST_F(FakeSleeperTest, WakesNobodyEarly) {
  Spawn(absl::Seconds(10), "a");
  sleeper_.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_THAT(log_, ElementsAre());
  sleeper_.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(log_, ElementsAre("a slept"));
}

TEST_F(FakeSleeperTest, ShowsTheNextDeadline) {
  EXPECT_EQ(sleeper_.NextDeadline(), std::nullopt);
  const absl::Duration start = clock_.Monotonic();
  Spawn(absl::Seconds(5), "a");
  EXPECT_EQ(sleeper_.NextDeadline(), start + absl::Seconds(5));
  EXPECT_TRUE(sleeper_.AdvanceToNext());
  EXPECT_EQ(clock_.Monotonic(), start + absl::Seconds(5));
  EXPECT_FALSE(sleeper_.AdvanceToNext());
}

TEST_F(FakeSleeperTest, AJumpOfTheWallClockWakesNobody) {
  Spawn(absl::Hours(1), "a");
  clock_.JumpWall(absl::Hours(5));
  sleeper_.Advance(absl::Minutes(59));
  EXPECT_THAT(log_, ElementsAre());
  sleeper_.Advance(absl::Minutes(1));
  EXPECT_THAT(log_, ElementsAre("a slept"));
}

Task<void> Tick(Sleeper& sleeper, const Clock& clock, std::vector<absl::Duration>& seen) {
  for (int i = 0; i < 3; ++i) {
    co_await sleeper.Sleep(absl::Seconds(1));
    seen.push_back(clock.Monotonic());
  }
}

TEST_F(FakeSleeperTest, ALoopSeesEachOfItsInstantsInOneAdvance) {
  std::vector<absl::Duration> seen;
  const absl::Duration start = clock_.Monotonic();
  tasks_.Spawn(Tick(sleeper_, clock_, seen));
  sleeper_.Advance(absl::Minutes(1));
  EXPECT_THAT(seen, ElementsAre(start + absl::Seconds(1), start + absl::Seconds(2),
                                start + absl::Seconds(3)));
  EXPECT_EQ(clock_.Monotonic(), start + absl::Minutes(1));
}

TEST_F(FakeSleeperTest, NotifyDuringTheSleepEndsItAndForgetsTheDeadline) {
  Spawn(absl::Hours(1), "a", &wakeup_);
  wakeup_.Notify();
  RunUntilIdle(io_);
  EXPECT_THAT(log_, ElementsAre("a woken"));
  EXPECT_EQ(sleeper_.Pending(), 0);
}

TEST_F(FakeSleeperTest, NotifyBeforeTheSleepIsKeptOnce) {
  wakeup_.Notify();
  wakeup_.Notify();
  Spawn(absl::Hours(1), "a", &wakeup_);
  EXPECT_THAT(log_, ElementsAre("a woken"));
  Spawn(absl::Hours(1), "b", &wakeup_);
  EXPECT_THAT(log_, ElementsAre("a woken"));
  sleeper_.Advance(absl::Hours(1));
  EXPECT_THAT(log_, ElementsAre("a woken", "b slept"));
}

TEST_F(FakeSleeperTest, NotifyAfterTheDeadlineIsKeptForTheNextSleep) {
  Spawn(absl::Seconds(1), "a", &wakeup_);
  sleeper_.Advance(absl::Seconds(1));
  EXPECT_THAT(log_, ElementsAre("a slept"));
  wakeup_.Notify();
  Spawn(absl::Seconds(1), "b", &wakeup_);
  EXPECT_THAT(log_, ElementsAre("a slept", "b woken"));
}

TEST_F(FakeSleeperTest, WithoutADeadlineOnlyANotificationEndsIt) {
  Spawn(absl::InfiniteDuration(), "a", &wakeup_);
  EXPECT_EQ(sleeper_.NextDeadline(), std::nullopt);
  sleeper_.Advance(absl::Hours(24 * 365));
  EXPECT_THAT(log_, ElementsAre());
  wakeup_.Notify();
  RunUntilIdle(io_);
  EXPECT_THAT(log_, ElementsAre("a woken"));
}

TEST_F(FakeSleeperTest, NoDelayAndAPastOneReturnAtOnce) {
  Spawn(absl::ZeroDuration(), "a");
  Spawn(absl::Seconds(-5), "b");
  EXPECT_THAT(log_, ElementsAre("a slept", "b slept"));
}

TEST(SystemSleeperTest, ReturnsOnceTheDelayHasPassed) {
  asio::io_context io;
  const auto sleeper = MakeSystemSleeper(io.get_executor());
  std::vector<std::string> log;
  TaskGroup tasks(io.get_executor());
  const absl::Duration start = SystemClock().Monotonic();
  tasks.Spawn(SleepOnce(*sleeper, absl::Milliseconds(20), nullptr, log, "a"));
  io.run();
  EXPECT_GE(SystemClock().Monotonic() - start, absl::Milliseconds(20));
  EXPECT_THAT(log, ElementsAre("a slept"));
}

TEST(SystemSleeperTest, ANotificationCutsALongSleepShort) {
  asio::thread_pool pool(2);
  const auto sleeper = MakeSystemSleeper(pool.get_executor());
  std::vector<std::string> log;
  Wakeup wakeup;
  TaskGroup tasks(pool.get_executor());
  tasks.Spawn(SleepOnce(*sleeper, absl::Hours(24 * 365 * 1000), &wakeup, log, "a"));
  wakeup.Notify();
  ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  EXPECT_THAT(log, ElementsAre("a woken"));
}

TEST(SystemSleeperTest, AnAbandonedContextLeavesNothingBehindInTheWakeup) {
  Wakeup wakeup;
  std::vector<std::string> log;
  auto io = std::make_unique<asio::io_context>();
  const auto sleeper = MakeSystemSleeper(io->get_executor());
  // No TaskGroup: it would wait for the task that this test abandons.
  const auto ignore = [](const std::exception_ptr&) {};
  asio::co_spawn(*io, SleepOnce(*sleeper, absl::Hours(1), &wakeup, log, "a"), ignore);
  RunUntilIdle(*io);
  io.reset();
  wakeup.Notify();
  EXPECT_THAT(log, ElementsAre());
}

// Wakes up until `stop`, and says how often.
Task<void> CountWakes(Sleeper& sleeper, Wakeup& wakeup, const std::atomic<bool>& stop,
                      std::atomic<int>& woken, absl::Duration delay) {
  while (!stop) {
    const bool notified =
        co_await sleeper.Sleep(delay, &wakeup);  // g++ 12 miscompiles it inside the condition
    if (notified) ++woken;
  }
}

TEST(SystemSleeperTest, NoNotificationOfManyThreadsIsLost) {
  asio::thread_pool pool(4);
  const auto sleeper = MakeSystemSleeper(pool.get_executor());
  constexpr int kThreads = 8;
  constexpr int kNotifies = 500;
  Wakeup wakeup;
  std::atomic<bool> stop = false;
  std::atomic<int> woken = 0;
  TaskGroup tasks(pool.get_executor());
  tasks.Spawn(CountWakes(*sleeper, wakeup, stop, woken, absl::InfiniteDuration()));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kNotifies; ++i) wakeup.Notify();
    });
  }
  for (std::thread& thread : threads) thread.join();
  // A lost wake-up would leave the task asleep for ever here.
  stop = true;
  wakeup.Notify();
  ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  EXPECT_GE(woken, 1);
  EXPECT_LE(woken, kThreads * kNotifies + 1);
}

TEST(SystemSleeperTest, DeadlinesAndNotificationsRaceWithoutHarm) {
  asio::thread_pool pool(4);
  const auto sleeper = MakeSystemSleeper(pool.get_executor());
  std::atomic<bool> stop = false;
  std::atomic<int> woken = 0;
  std::vector<Wakeup> wakeups(8);
  TaskGroup tasks(pool.get_executor());
  for (Wakeup& wakeup : wakeups)
    tasks.Spawn(CountWakes(*sleeper, wakeup, stop, woken, absl::Microseconds(5)));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) wakeups[static_cast<std::size_t>(i) % wakeups.size()].Notify();
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
}

}  // namespace
}  // namespace poller
