// Polls that go on where another program stopped.
#include <string>
#include <vector>

#include "core/base/text.h"
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using Fate = ImportedOrder::Fate;

class ImportedPollingTest : public PollingFixture {
 protected:
  ImportedPollingTest() {
    long_ago_ = Confirm();
    sent_ = Confirm();
    edited_ = Confirm();
    owed_ = Confirm();
    given_up_ = Confirm();
    Other(sent_, Fate::kSent);
    Other(edited_, Fate::kSent);
    Other(owed_, Fate::kOwed);
    Other(given_up_, Fate::kGivenUp);
  }
  // What the other program did with an order as it is now.
  void Other(RecordId id, Fate fate) {
    ImportedOrder order;
    order.order = OrderId(id);
    order.name = shop().FindOrder(id)->name;
    order.fate = fate;
    order.write_date = FormatOdooTime(shop().FindOrder(id)->write_date);
    order.known_at = Now();
    order.attempts = 1;
    order.record = "{}";
    orders_.push_back(order);
  }
  // Its last poll was now.
  void Stop() { stopped_ = Now(); }
  // Takes over, and resumes: the first pass runs.
  void TakeOver(bool with_mark = true) {
    ImportedConnection imported;
    imported.settings = Settings();
    imported.settings.line_interval = absl::Minutes(5);
    imported.started = stopped_;
    if (with_mark) imported.mark = stopped_;
    imported.orders = [this](const ImportedConnection::Take& take) -> absl::Status {
      for (const ImportedOrder& order : orders_) RETURN_IF_ERROR(take(order));
      return absl::OkStatus();
    };
    ASSERT_OK(storage_->imports().Import({imported}, Actor(), Now()).status());
    ASSERT_OK_AND_ASSIGN(const auto found, storage_->connections().GetByName("shop"));
    connection_ = found.connection;
    scheduler_->Add(connection_.id, /*spread=*/false);
    RunUntilIdle(io_);
  }

  RecordId long_ago_, sent_, edited_, owed_, given_up_;
  std::vector<ImportedOrder> orders_;
  absl::Time stopped_;
};

TEST_F(ImportedPollingTest, OnlyWhatTheOtherProgramDidNotSendGoesOut) {
  Pass(absl::Hours(1));
  Stop();
  ASSERT_OK(shop().EditOrderRef(edited_, "changed"));
  const RecordId created = Confirm();
  Pass(absl::Hours(5));
  TakeOver();
  EXPECT_EQ(Known(created), "1 pending");
  EXPECT_EQ(Known(edited_), "2 pending");
  EXPECT_EQ(Known(owed_), "2 pending");
  EXPECT_EQ(Known(sent_), "1 delivered");
  EXPECT_EQ(Known(given_up_), "1 dead");
  EXPECT_EQ(Known(long_ago_), "");
  for (int i = 0; i < 3; ++i) Pass(absl::Minutes(70));  // sweeps
  EXPECT_EQ(Known(sent_), "1 delivered");
  EXPECT_EQ(Known(given_up_), "1 dead");
  EXPECT_EQ(Known(long_ago_), "");
  EXPECT_EQ(State().waiting, 3);
}

TEST_F(ImportedPollingTest, WhatWasSentJustBeforeTheStopIsNotSentAgain) {
  const RecordId last = Confirm();
  Other(last, Fate::kSent);
  Stop();
  TakeOver();
  // The overlap lists it, and it is read once more when it leaves it.
  for (int i = 0; i < 10; ++i) NextPoll();
  for (const RecordId order : {last, sent_, edited_}) EXPECT_EQ(Known(order), "1 delivered");
  EXPECT_EQ(State().waiting, 2) << "what was owed, and what nobody had sent";
}

TEST_F(ImportedPollingTest, WhatWasCommittedLateAroundTheStopIsFound) {
  Pass(absl::Hours(1));
  const Tx slow = shop().Begin();
  const RecordId late = Confirm(slow);
  Pass(absl::Seconds(70));
  Stop();
  TakeOver();
  ASSERT_EQ(Known(late), "");
  shop().Commit(slow);
  NextPoll();
  EXPECT_EQ(Known(late), "1 pending");
}

TEST_F(ImportedPollingTest, OfAYoungConnectionWhatWasThereBeforeIsBaseline) {
  Stop();
  Pass(absl::Minutes(1));
  const RecordId created = Confirm();
  TakeOver(/*with_mark=*/false);
  NextPoll();
  // All were written in the second of the stop, which may be after it.
  EXPECT_EQ(Known(created), "1 pending");
  EXPECT_EQ(Known(sent_), "1 delivered");
  EXPECT_EQ(Known(owed_), "2 pending");
  EXPECT_EQ(Known(given_up_), "1 dead");
}

TEST_F(ImportedPollingTest, AnEditOfALineAfterItWasSentIsFound) {
  Pass(absl::Hours(1));
  Stop();
  Pass(absl::Minutes(1));
  ASSERT_OK(shop().EditLineDescription(LineOf(sent_), "another text"));
  ASSERT_EQ(FormatOdooTime(shop().FindOrder(sent_)->write_date), orders_[0].write_date)
      << "Odoo does not move the order for it";
  TakeOver();
  for (int i = 0; i < 6; ++i) NextPoll();
  EXPECT_EQ(Known(sent_), "2 pending");
}

TEST_F(ImportedPollingTest, AnEditOfALineOfAnOrderThatCannotBeReadIsADeadLetter) {
  Pass(absl::Hours(1));
  Stop();
  Pass(absl::Minutes(1));
  ASSERT_OK(shop().EditLineDescription(LineOf(sent_), "another text"));
  shop().SetRecordFault("sale.order", sent_, {.kind = RecordFault::Kind::kForbidden});
  TakeOver();
  for (int i = 0; i < 6; ++i) NextPoll();
  EXPECT_EQ(Known(sent_), "2 dead");
}

TEST_F(ImportedPollingTest, WhatTheFirstPollCouldNotReadASweepReads) {
  Pass(absl::Hours(1));
  Stop();
  shop().SetRecordFault("sale.order", owed_, {.kind = RecordFault::Kind::kForbidden});
  TakeOver();
  EXPECT_NE(Known(owed_), "2 pending");
  shop().ClearRecordFaults();
  for (int i = 0; i < 2; ++i) Pass(absl::Minutes(70));
  EXPECT_THAT(Known(owed_), testing::EndsWith("pending"));
  EXPECT_THAT(Body(owed_), testing::HasSubstr("\"WID\""));
}

TEST_F(ImportedPollingTest, ARestartBetweenImportAndFirstPollLosesNothing) {
  Pass(absl::Hours(1));
  Stop();
  ingest_->fail_from = 1;
  TakeOver();
  ASSERT_EQ(Known(owed_), "1 pending");
  Restart();
  EXPECT_EQ(Known(owed_), "2 pending");
  EXPECT_EQ(Known(given_up_), "1 dead");
}

}  // namespace
}  // namespace poller::test
