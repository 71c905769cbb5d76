// Deliveries of a connection that is held after a restore.
#include "core/storage/sqlite/database.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class HoldTest : public StorageFixture {
 protected:
  HoldTest() {
    Open();
    AddConnection();
    Observe(Seen(1, "a"));
    Hold();
  }
  void Hold() {
    storage_.reset();
    const auto db = Database::Open(Path(), Database::Mode::kReadWrite);
    ASSERT_OK(db.status());
    ASSERT_OK((*db)->Exec("UPDATE connection_state SET held_since = ?1", clock_.Now()));
    Open();
    NewEvents();
  }
  IngestResult CommitPoll() {
    IngestBatch batch = Batch();
    batch.mark = clock_.Now();
    return Commit(batch);
  }
  IngestResult CommitSweep() {
    IngestBatch batch = Batch();
    batch.sweep_mark = clock_.Now();
    return Commit(batch);
  }
  // Which are all that is unhealthy here.
  std::int64_t Held() {
    const auto totals = storage_->status().Totals();
    EXPECT_OK(totals.status());
    if (!totals.ok()) return -1;
    EXPECT_EQ(totals->unhealthy, totals->held);
    return totals->held;
  }
};

TEST_F(HoldTest, NothingIsClaimedUntilAPollAndASweepAreComplete) {
  EXPECT_EQ(State().held_since, clock_.Now());
  EXPECT_EQ(Held(), 1);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration());
  EXPECT_FALSE(CommitPoll().released);
  EXPECT_FALSE(CommitPoll().released) << "a second poll is no sweep";
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_TRUE(CommitSweep().released);
  EXPECT_EQ(State().held_since, std::nullopt);
  EXPECT_EQ(Held(), 0);
  EXPECT_THAT(NewEvents(), ElementsAre("connection_resumed"));
  EXPECT_EQ(NextDue(), absl::ZeroDuration());
  EXPECT_EQ(ClaimOne().content, "content a");
  EXPECT_FALSE(CommitSweep().released) << "once";
}

TEST_F(HoldTest, TheOrderOfPollAndSweepDoesNotMatter) {
  EXPECT_FALSE(CommitSweep().released);
  EXPECT_TRUE(CommitPoll().released);
}

TEST_F(HoldTest, BatchesOfAPassThatIsNotCompleteDoNotCount) {
  Observe(Seen(2, "a"));
  IngestBatch lines = Batch();
  lines.line_mark = clock_.Now();
  EXPECT_FALSE(Commit(lines).released);
  EXPECT_FALSE(CommitSweep().released);
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(HoldTest, WhatThePollFindsTakesThePlaceOfWhatIsStale) {
  Observe(Seen(1, "b", 1));
  CommitPoll();
  CommitSweep();
  EXPECT_EQ(ClaimOne().content, "content b");
}

TEST_F(HoldTest, AnOperatorsRetryIsHeldToo) {
  ASSERT_OK(storage_->outbox().Retry(Head(1)->delivery, kActor, clock_.Read()).status());
  EXPECT_THAT(Claim(10, /*forced_only=*/true), IsEmpty());
  CommitPoll();
  CommitSweep();
  EXPECT_TRUE(ClaimOne().forced);
}

TEST_F(HoldTest, ARestartForgetsNothing) {
  CommitPoll();
  Reopen();
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_TRUE(CommitSweep().released);
}

TEST_F(HoldTest, AnotherOdooIsToBeReadAnew) {
  CommitPoll();
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.reset_odoo = true;
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  EXPECT_FALSE(CommitSweep().released);
  EXPECT_TRUE(CommitPoll().released);
}

TEST_F(HoldTest, OtherConnectionsAreNotHeld) {
  AddConnection("other");
  Observe(Seen(1, "c"));
  EXPECT_EQ(ClaimOne().content, "content c");
  CommitPoll();
  EXPECT_FALSE(CommitSweep().released);
  EXPECT_THAT(NewEvents(), Not(Contains("connection_resumed")));
  EXPECT_EQ(Held(), 1);
}

}  // namespace
}  // namespace poller
