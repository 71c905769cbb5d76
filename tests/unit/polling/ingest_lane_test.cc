#include "core/polling/ingest_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "core/async/one_shot.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

using testing::ElementsAre;

class IngestLaneTest : public testing::Test {
 protected:
  void Spawn(Task<void> task) {
    boost::asio::co_spawn(io_, std::move(task), boost::asio::detached);
  }
  // Holds the lane until `release`.
  Task<void> Hold(OneShot<bool> release) {
    auto guard = co_await lane_.Acquire(LanePriority::kBackground);
    co_await release.Get();
  }
  Task<void> Enter(std::string name, LanePriority priority) {
    auto guard = co_await lane_.Acquire(priority);
    entered_.push_back(std::move(name));
  }

  boost::asio::io_context io_;
  IngestLane lane_;
  std::vector<std::string> entered_;
};

TEST_F(IngestLaneTest, PollsComeFirstThenRequestsThenTheRestEachInTheirOrder) {
  OneShot<bool> release;
  Spawn(Hold(release));
  RunUntilIdle(io_);
  Spawn(Enter("sweep", LanePriority::kBackground));
  Spawn(Enter("resend 1", LanePriority::kRequest));
  Spawn(Enter("poll 1", LanePriority::kPoll));
  Spawn(Enter("resend 2", LanePriority::kRequest));
  Spawn(Enter("poll 2", LanePriority::kPoll));
  RunUntilIdle(io_);
  ASSERT_THAT(entered_, ElementsAre());
  release.Set(true);
  RunUntilIdle(io_);
  EXPECT_THAT(entered_, ElementsAre("poll 1", "poll 2", "resend 1", "resend 2", "sweep"));
}

TEST_F(IngestLaneTest, GuardIsGivenUpWhenItMovesOrIsReplaced) {
  bool freed = false;
  auto task = [](IngestLane& lane, bool& is_freed) -> Task<void> {
    IngestLane::Guard guard = co_await lane.Acquire(LanePriority::kPoll);
    IngestLane::Guard moved = std::move(guard);
    moved = IngestLane::Guard();
    guard = co_await lane.Acquire(LanePriority::kPoll);
    is_freed = true;
  };
  Spawn(task(lane_, freed));
  RunUntilIdle(io_);
  EXPECT_TRUE(freed);
}

TEST_F(IngestLaneTest, AdmitsOneAtATimeOnManyThreads) {
  boost::asio::thread_pool pool(4);
  int inside = 0, most = 0, total = 0;
  auto visit = [](IngestLane& lane, int& in, int& max, int& sum, int priority) -> Task<void> {
    for (int i = 0; i < 200; ++i) {
      auto guard = co_await lane.Acquire(static_cast<LanePriority>(priority));
      max = std::max(max, ++in);
      ++sum;
      --in;
    }
  };
  for (int i = 0; i < 9; ++i) {
    boost::asio::co_spawn(boost::asio::make_strand(pool), visit(lane_, inside, most, total, i % 3),
                          boost::asio::detached);
  }
  pool.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(total, 9 * 200);
}

TEST(LaneRegistryTest, GivesOneLaneToTheSameOriginAndDatabase) {
  LaneRegistry registry;
  const auto lane = registry.For("https://shop.example", "a");
  EXPECT_EQ(registry.For("https://SHOP.example:443/", "a"), lane);
  EXPECT_EQ(registry.For("https://shop.example/odoo", "a"), lane);
  EXPECT_NE(registry.For("https://shop.example", "b"), lane);
  EXPECT_NE(registry.For("http://shop.example", "a"), lane);
}

}  // namespace
}  // namespace poller
