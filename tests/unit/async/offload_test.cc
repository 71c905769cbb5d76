#include "core/async/offload.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "core/async/task_group.h"

namespace poller {
namespace {

namespace asio = boost::asio;

class OffloadTest : public testing::Test {
 protected:
  // Runs `task` on a pool of its own; offloaded work goes to `pool_`.
  void Run(Task<void> task) {
    TaskGroup tasks(home_.get_executor());
    tasks.Spawn(std::move(task));
    ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  }
  Executor Pool() { return pool_.get_executor(); }

  asio::thread_pool home_{1};
  asio::thread_pool pool_{2};
};

Task<void> WhereDoIRun(Executor pool, std::thread::id& before, std::thread::id& at_work,
                       std::thread::id& after) {
  before = std::this_thread::get_id();
  auto work = [] { return std::this_thread::get_id(); };
  at_work = co_await Offload(pool, work);
  after = std::this_thread::get_id();
}

TEST_F(OffloadTest, WorksOnThePoolAndReturnsHome) {
  std::thread::id before, at_work, after;
  Run(WhereDoIRun(Pool(), before, at_work, after));
  EXPECT_NE(at_work, before);
  EXPECT_EQ(after, before);
}

Task<void> CatchFrom(Executor pool, std::string& caught) {
  auto work = []() -> int { throw std::runtime_error("no such table"); };
  try {
    co_await Offload(pool, work);
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
}

TEST_F(OffloadTest, AnExceptionReachesTheCaller) {
  std::string caught;
  Run(CatchFrom(Pool(), caught));
  EXPECT_EQ(caught, "no such table");
}

Task<void> MoveThrough(Executor pool, std::shared_ptr<int> witness,
                       std::unique_ptr<std::string>& out) {
  auto owned = std::make_unique<std::string>("moved in");
  auto work = [owned = std::move(owned), witness]() mutable {
    return absl::StatusOr<std::unique_ptr<std::string>>(std::move(owned));
  };
  witness.reset();
  auto result = co_await Offload(pool, std::move(work));
  if (result.ok()) out = *std::move(result);
}

TEST_F(OffloadTest, MovesWhatCannotBeCopiedAndReleasesTheWorkOnce) {
  std::unique_ptr<std::string> out;
  auto witness = std::make_shared<int>(0);
  Run(MoveThrough(Pool(), witness, out));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(*out, "moved in");
  EXPECT_EQ(witness.use_count(), 1);
}

Task<void> OffloadNothing(Executor pool, bool& ran) {
  auto work = [&ran] { ran = true; };
  co_await Offload(pool, work);
}

TEST_F(OffloadTest, WorkMayReturnNothing) {
  bool ran = false;
  Run(OffloadNothing(Pool(), ran));
  EXPECT_TRUE(ran);
}

Task<void> Loop(Executor pool, int& sum) {
  for (int i = 0; i < 500; ++i) {
    auto work = [i] { return i; };
    sum += co_await Offload(pool, work);
  }
}

TEST_F(OffloadTest, ManyCallsFromManyTasksKeepTheirResults) {
  std::vector<int> sums(8);
  TaskGroup tasks(pool_.get_executor());  // home and pool are the same here
  for (int& sum : sums) tasks.Spawn(Loop(Pool(), sum));
  ASSERT_TRUE(tasks.WaitFor(absl::Seconds(30)));
  for (const int sum : sums) EXPECT_EQ(sum, 500 * 499 / 2);
}

}  // namespace
}  // namespace poller
