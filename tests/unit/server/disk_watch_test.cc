#include "server/disk_watch.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::int64_t kMinFree = 1'000'000;

// An event log that keeps what is appended, or refuses it.
class FakeLog final : public EventLog {
 public:
  absl::StatusOr<std::vector<SyncEvent>> Read(EventSequence, int) override {
    return std::vector<SyncEvent>();
  }
  absl::StatusOr<EventRange> Range() override { return EventRange(); }
  absl::StatusOr<EventSequence> Append(const SyncEvent& event) override {
    if (full) return absl::UnavailableError("disk full");
    types.push_back(event.type);
    return EventSequence(static_cast<std::int64_t>(types.size()));
  }
  void SetListener(std::function<void()>) override {}
  absl::StatusOr<int> Prune(absl::Time, int) override { return 0; }

  bool full = false;
  std::vector<EventType> types;
};

class DiskWatchTest : public testing::Test {
 protected:
  explicit DiskWatchTest(std::int64_t min_free = kMinFree)
      : watch_(DiskWatch::Deps{[this] { return free_; }, log_, sleeper_, clock_, io_.get_executor(),
                               NullLogger(), [this] { ++recovered_; }},
               min_free) {
    tasks_.Spawn(watch_.Run());
    RunUntilIdle(io_);
  }
  ~DiskWatchTest() override {
    watch_.Stop();
    RunUntilIdle(io_);
  }
  // At the next look so much is free.
  void Look(absl::StatusOr<std::int64_t> free) {
    free_ = std::move(free);
    sleeper_.Advance(DiskWatch::kInterval);
    RunUntilIdle(io_);
  }

  boost::asio::io_context io_;
  TaskGroup tasks_{io_.get_executor()};
  FakeClock clock_;
  FakeSleeper sleeper_{clock_, &io_};
  FakeLog log_;
  absl::StatusOr<std::int64_t> free_ = kMinFree;
  int recovered_ = 0;
  DiskWatch watch_;
};

TEST_F(DiskWatchTest, SaysOnceThatTheDiskRunsLow) {
  EXPECT_FALSE(watch_.low());
  Look(kMinFree - 1);
  EXPECT_TRUE(watch_.low());
  Look(kMinFree / 2);
  EXPECT_THAT(log_.types, ElementsAre(EventType::kDiskLow));
  EXPECT_EQ(watch_.free_bytes(), kMinFree / 2);
}

TEST_F(DiskWatchTest, HasRoomAgainWithATenthMore) {
  Look(0);
  Look(kMinFree + kMinFree / 10 - 1);
  EXPECT_TRUE(watch_.low());
  Look(kMinFree + kMinFree / 10);
  EXPECT_FALSE(watch_.low());
  EXPECT_EQ(recovered_, 1);
  EXPECT_THAT(log_.types, ElementsAre(EventType::kDiskLow, EventType::kDiskRecovered));
}

TEST_F(DiskWatchTest, AnEventThatFindsNoRoomIsTriedAgain) {
  log_.full = true;
  Look(0);
  EXPECT_TRUE(watch_.low());
  EXPECT_THAT(log_.types, IsEmpty());
  log_.full = false;
  Look(0);
  EXPECT_THAT(log_.types, ElementsAre(EventType::kDiskLow));
}

TEST_F(DiskWatchTest, ADiskThatCannotBeMeasuredChangesNothing) {
  Look(0);
  Look(absl::UnavailableError("gone"));
  EXPECT_TRUE(watch_.low());
  EXPECT_EQ(watch_.free_bytes(), 0);
}

class UnlimitedDiskWatchTest : public DiskWatchTest {
 protected:
  UnlimitedDiskWatchTest() : DiskWatchTest(0) {}
};

TEST_F(UnlimitedDiskWatchTest, IsNeverLow) {
  Look(0);
  EXPECT_FALSE(watch_.low());
}

TEST(CheckRoomTest, WhatMayStayFreeIsNotTaken) {
  EXPECT_OK(CheckRoom("a backup", 100, 600, 500));
  const absl::Status refused = CheckRoom("a backup", 101, 600, 500);
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition, testing::HasSubstr("a backup")));
  EXPECT_EQ(Reason(refused), "NO_DISK_SPACE");
  EXPECT_THAT(Metadata(refused),
              UnorderedElementsAre(Pair("needed_bytes", "101"), Pair("free_bytes", "600"),
                                   Pair("min_free_bytes", "500")));
}

TEST(FreeDiskTest, TellsWhatIsFreeAndWhyNot) {
  EXPECT_GE(*FreeDisk("/"), 0);
  EXPECT_THAT(FreeDisk("/no/such/folder"),
              StatusIs(absl::StatusCode::kUnavailable, testing::HasSubstr("/no/such/folder")));
}

}  // namespace
}  // namespace poller
