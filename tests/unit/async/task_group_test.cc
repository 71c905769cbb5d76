#include "core/async/task_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <stdexcept>

#include "core/async/one_shot.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

namespace asio = boost::asio;

Task<void> WaitOn(OneShot<int> slot) { co_await slot.Get(); }

TEST(TaskGroupTest, CountsWhatHasNotEnded) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  const OneShot<int> first;
  const OneShot<int> second;
  EXPECT_EQ(tasks.Running(), 0);
  EXPECT_TRUE(tasks.WaitFor(absl::ZeroDuration()));
  tasks.Spawn(WaitOn(first));
  tasks.Spawn(WaitOn(second));
  RunUntilIdle(io);
  EXPECT_EQ(tasks.Running(), 2);
  EXPECT_FALSE(tasks.WaitFor(absl::Milliseconds(1)));
  first.Set(0);
  RunUntilIdle(io);
  EXPECT_EQ(tasks.Running(), 1);
  second.Set(0);
  RunUntilIdle(io);
  EXPECT_TRUE(tasks.WaitFor(absl::ZeroDuration()));
}

// Says when it is destroyed.
struct Mark {
  explicit Mark(std::atomic<int>& count) : count_(&count) {}
  Mark(Mark&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Mark& operator=(Mark&&) = delete;
  ~Mark() {
    if (count_ != nullptr) ++*count_;
  }
  std::atomic<int>* count_;
};

Task<void> Hold(Mark mark, OneShot<int> slot) {
  co_await slot.Get();
  (void)mark;
}

TEST(TaskGroupTest, WhatATaskOwnsIsGoneWhenTheWaitEnds) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> destroyed = 0;
    asio::thread_pool pool(2);
    TaskGroup tasks(pool.get_executor());
    const OneShot<int> slot;
    tasks.Spawn(Hold(Mark(destroyed), slot));
    slot.Set(0);
    ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
    ASSERT_EQ(destroyed, 1);
  }
}

TEST(TaskGroupTest, DestructorWaits) {
  asio::thread_pool pool(2);
  std::atomic<int> destroyed = 0;
  const OneShot<int> slot;
  {
    TaskGroup tasks(pool.get_executor());
    for (int i = 0; i < 10; ++i) {
      const OneShot<int> own;
      tasks.Spawn(Hold(Mark(destroyed), own));
      asio::post(pool, [own] { own.Set(0); });
    }
  }
  EXPECT_EQ(destroyed, 10);
}

// Two steps of one task at the same time would show here: the counter is a plain int.
Task<void> Alternate(int& steps) {
  const Executor executor = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) {
    ++steps;
    co_await asio::post(executor, asio::use_awaitable);
  }
}

TEST(TaskGroupTest, StepsOfOneTaskNeverOverlap) {
  asio::thread_pool pool(4);
  std::vector<int> steps(16);
  TaskGroup tasks(pool.get_executor());
  for (int& counter : steps) tasks.Spawn(Alternate(counter));
  ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  for (const int counter : steps) EXPECT_EQ(counter, 100);
}

Task<void> Throw() {
  throw std::runtime_error("a broken belief");
  co_return;
}

TEST(TaskGroupDeathTest, AnExceptionEndsTheProcessWithItsMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        asio::io_context io;
        TaskGroup tasks(io.get_executor());
        tasks.Spawn(Throw());
        io.run();
      },
      "a task ended with an exception: a broken belief");
}

}  // namespace
}  // namespace poller
