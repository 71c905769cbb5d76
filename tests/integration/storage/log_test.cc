#include <atomic>

#include "absl/synchronization/notification.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventLogTest : public StorageFixture {
 protected:
  EventLogTest() { Open(); }
  EventSequence Append(absl::Time at) {
    SyncEvent event;
    event.at = at;
    event.type = EventType::kBackupMade;
    const auto sequence = storage_->events().Append(event);
    EXPECT_OK(sequence.status());
    return sequence.value_or(EventSequence());
  }
  std::vector<std::int64_t> Sequences() {
    std::vector<std::int64_t> sequences;
    const auto events = storage_->events().Read(EventSequence(), 1000);
    EXPECT_OK(events.status());
    for (const SyncEvent& event : *events) {
      sequences.push_back(event.sequence.value());
    }
    return sequences;
  }
};

TEST_F(EventLogTest, EveryFieldIsKept) {
  SyncEvent event;
  event.at = clock_.Now();
  event.type = EventType::kDeliveryFailed;
  event.connection = ConnectionId(3);
  event.connection_name = "shop \"x\" \xc3\xa9";
  event.order = OrderId(42);
  event.order_name = "S42";
  event.detail = {.delivery = DeliveryId(7),
                  .revision = 2,
                  .webhook_id = "msg_x",
                  .event = "order.updated",
                  .attempt = 3,
                  .http_status = 503,
                  .failure = "refused",
                  .error = "line one\nline two",
                  .next_attempt_at = clock_.Now() + absl::Seconds(30),
                  .count = 5,
                  .reason = "r",
                  .actor = "ops",
                  .request_id = "q",
                  .leg = "receiver",
                  .change = "c",
                  .expires_at = clock_.Now() + absl::Hours(1),
                  .job = JobId(8),
                  .job_kind = "k",
                  .job_state = "s"};
  ASSERT_OK(storage_->events().Append(event).status());
  ASSERT_OK_AND_ASSIGN(const auto events, storage_->events().Read(EventSequence(), 10));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].detail.expires_at, clock_.Now() + absl::Hours(1));
  const SyncEvent& read = events[0];
  EXPECT_EQ(read.sequence, EventSequence(1));
  EXPECT_EQ(read.at, event.at);
  EXPECT_EQ(read.type, event.type);
  EXPECT_EQ(read.connection, event.connection);
  EXPECT_EQ(read.connection_name, event.connection_name);
  EXPECT_EQ(read.order, event.order);
  EXPECT_EQ(read.order_name, event.order_name);
  EXPECT_EQ(read.detail.delivery, event.detail.delivery);
  EXPECT_EQ(read.detail.revision, 2);
  EXPECT_EQ(read.detail.webhook_id, "msg_x");
  EXPECT_EQ(read.detail.event, "order.updated");
  EXPECT_EQ(read.detail.attempt, 3);
  EXPECT_EQ(read.detail.http_status, 503);
  EXPECT_EQ(read.detail.failure, "refused");
  EXPECT_EQ(read.detail.error, "line one\nline two");
  EXPECT_EQ(read.detail.next_attempt_at, event.detail.next_attempt_at);
  EXPECT_EQ(read.detail.count, 5);
  EXPECT_EQ(read.detail.reason + read.detail.actor + read.detail.request_id, "ropsq");
  EXPECT_EQ(read.detail.leg + read.detail.change, "receiverc");
  EXPECT_EQ(read.detail.job, JobId(8));
  EXPECT_EQ(read.detail.job_kind + read.detail.job_state, "ks");
}

TEST_F(EventLogTest, TheRangeOfAnEmptyLogIsEmpty) {
  ASSERT_OK_AND_ASSIGN(const EventRange range, storage_->events().Range());
  EXPECT_EQ(range.newest, EventSequence(0));
  EXPECT_EQ(range.oldest, EventSequence(1));
  EXPECT_EQ(range.log_id.size(), 26u);
  Reopen();
  EXPECT_EQ(storage_->events().Range()->log_id, range.log_id);
}

TEST_F(EventLogTest, PruningTakesFromTheFrontAndLeavesTheNewest) {
  const absl::Time start = clock_.Now();
  for (int i = 0; i < 6; ++i) Append(start + absl::Hours(i));
  EXPECT_THAT(storage_->events().Prune(start + absl::Hours(4), 3), IsOkAndHolds(3));
  EXPECT_THAT(Sequences(), ElementsAre(4, 5, 6));
  EXPECT_THAT(storage_->events().Prune(start + absl::Hours(4), 100), IsOkAndHolds(1));
  EXPECT_THAT(Sequences(), ElementsAre(5, 6));
  EXPECT_THAT(storage_->events().Prune(start + absl::Hours(99), 100), IsOkAndHolds(1));
  EXPECT_THAT(storage_->events().Prune(start + absl::Hours(99), 100), IsOkAndHolds(0));
  EXPECT_THAT(Sequences(), ElementsAre(6));
  ASSERT_OK_AND_ASSIGN(const EventRange range, storage_->events().Range());
  EXPECT_EQ(range.oldest, EventSequence(6));
  EXPECT_EQ(range.newest, EventSequence(6));
  EXPECT_EQ(Append(start), EventSequence(7));
}

TEST_F(EventLogTest, AnEventOfAClockThatRanAheadMakesNoHole) {
  const absl::Time start = clock_.Now();
  Append(start);
  Append(start + absl::Hours(100));
  Append(start + absl::Hours(1));
  Append(start + absl::Hours(2));
  EXPECT_THAT(storage_->events().Prune(start + absl::Hours(50), 100), IsOkAndHolds(1));
  EXPECT_THAT(Sequences(), ElementsAre(2, 3, 4));
}

TEST_F(EventLogTest, TheListenerHearsOfCommitsThatWroteEvents) {
  std::atomic<int> calls = 0;
  absl::Notification called;
  storage_->events().SetListener([&] {
    if (++calls == 1) called.Notify();
  });
  AddConnection("shop");
  called.WaitForNotification();
  const LastPoll quiet{.at = clock_.Now(), .duration = absl::Seconds(1), .found = 0, .error = ""};
  ASSERT_OK(storage_->connections().RecordPoll(connection_.id, quiet, clock_.Now()));
  storage_->events().SetListener(nullptr);  // waits for a call that runs
  EXPECT_EQ(calls, 1);
  Append(clock_.Now());
  Append(clock_.Now());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLogTest, WhatIsUndoneWritesNoEvent) {
  AddConnection("shop");
  NewEvents();
  EXPECT_FALSE(storage_->connections().Create(ShopSettings("shop"), kActor, clock_.Now()).ok());
  EXPECT_THAT(NewEvents(), IsEmpty());
}

class SyncLogStoreTest : public StorageFixture {
 protected:
  SyncLogStoreTest() { Open(); }
  void Append(absl::Duration offset) {
    SyncLog log;
    log.connection = connection_.id;
    log.kind = "poll";
    log.started_at = clock_.Now() + offset;
    log.error = "refused";
    EXPECT_OK(storage_->sync_logs().Append(log));
  }
  std::size_t Count() {
    return storage_->sync_logs().List(connection_.id, SyncLogId(), 1000)->size();
  }
};

TEST_F(SyncLogStoreTest, NewestFirstInPages) {
  AddConnection("a");
  for (int i = 0; i < 3; ++i) Append(absl::Hours(i));
  const Connection first = connection_;
  AddConnection("b");
  Append(absl::Hours(9));
  ASSERT_OK_AND_ASSIGN(const auto all, storage_->sync_logs().List(std::nullopt, SyncLogId(), 2));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].connection_name, "b");
  EXPECT_EQ(all[1].connection_name, "a");
  ASSERT_OK_AND_ASSIGN(const auto more, storage_->sync_logs().List(first.id, all[1].id, 10));
  EXPECT_EQ(more.size(), 2u);
}

TEST_F(SyncLogStoreTest, PruningTakesTheOldAndTheSurplus) {
  AddConnection("a");
  for (int i = 0; i < 10; ++i) Append(absl::Hours(i));
  EXPECT_THAT(storage_->sync_logs().Prune(clock_.Now() + absl::Hours(3), 1000, 2), IsOkAndHolds(2));
  EXPECT_THAT(storage_->sync_logs().Prune(clock_.Now() + absl::Hours(3), 1000, 100),
              IsOkAndHolds(1));
  EXPECT_EQ(Count(), 7u);
  EXPECT_THAT(storage_->sync_logs().Prune(clock_.Now(), 4, 100), IsOkAndHolds(3));
  EXPECT_EQ(Count(), 4u);
  EXPECT_THAT(storage_->sync_logs().Prune(clock_.Now(), 4, 100), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(const auto left,
                       storage_->sync_logs().List(connection_.id, SyncLogId(), 100));
  EXPECT_EQ(left.back().started_at, clock_.Now() + absl::Hours(6)) << "the newest stay";
}

TEST_F(SyncLogStoreTest, ALogOfADeletedConnectionIsNoError) {
  AddConnection("a");
  ASSERT_OK(storage_->connections().Delete(connection_.id, false, kActor, clock_.Now()));
  Append(absl::ZeroDuration());
  EXPECT_EQ(storage_->sync_logs().List(std::nullopt, SyncLogId(), 10)->size(), 0u);
}

}  // namespace
}  // namespace poller
