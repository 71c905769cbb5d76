// When passes run, and what operators ask for beside them.
#include <algorithm>
#include <map>
#include <random>

#include "core/base/status.h"
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SchedulerTest : public PollingFixture {
 protected:
  std::string Results(const std::vector<TestStep>& steps) {
    std::string text;
    for (const TestStep& step : steps) {
      const char* words[] = {"ok", "FAILED", "skipped"};
      text += step.name + " " + words[static_cast<int>(step.result)] + "; ";
    }
    return text;
  }
  const TestStep& Step(const std::vector<TestStep>& steps, const std::string& name) {
    for (const TestStep& step : steps) {
      if (step.name == name) return step;
    }
    ADD_FAILURE() << "no step " << name;
    std::abort();
  }
  std::vector<TestStep> Test(const ConnectionSettings& settings) {
    Connection connection;
    connection.settings = settings;
    return Await(scheduler_->TestOdoo(std::move(connection)));
  }
  ResendResult Resend(ResendRequest request) {
    auto result = Await(scheduler_->Resend(connection_.id, std::move(request), Actor()));
    EXPECT_OK(result);
    return result.value_or(ResendResult());
  }
  std::string NameOf(RecordId order) { return shop().FindOrder(order)->name; }
};

TEST_F(SchedulerTest, FirstPassesAreSpreadOverTheInterval) {
  auto made = storage_->connections().Create(Settings(), Actor(), Now());
  ASSERT_OK(made);
  random_.Push(0.25);
  scheduler_->Add(made->id, /*spread=*/true);
  RunUntilIdle(io_);
  EXPECT_EQ(http_->requests(), 0);
  Pass(absl::Seconds(14));
  EXPECT_EQ(http_->requests(), 0);
  Pass(absl::Seconds(1));
  EXPECT_GT(http_->requests(), 0);
}

TEST_F(SchedulerTest, PausedConnectionIsPolledOnlyOnDemand) {
  ConnectionSettings settings = Settings();
  settings.paused_polling = true;
  Begin(settings);
  Pass(absl::Hours(1));
  EXPECT_EQ(http_->requests(), 0);
  EXPECT_OK(PollNow());
  const RecordId order = Confirm();
  const auto result = PollNow();
  ASSERT_OK(result);
  EXPECT_EQ(result->recorded, 1);
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(SchedulerTest, ResumedConnectionIsPolledAtOnce) {
  ConnectionSettings settings = Settings();
  settings.paused_polling = true;
  Begin(settings);
  ASSERT_OK(storage_->connections().SetPaused(connection_.id, false, std::nullopt, Actor(), Now()));
  scheduler_->Refresh(connection_.id);
  RunUntilIdle(io_);
  EXPECT_GT(http_->requests(), 0);
}

TEST_F(SchedulerTest, EditedIntervalCountsFromTheNextStep) {
  Begin();
  Edit([](ConnectionSettings& settings) { settings.interval = absl::Seconds(10); });
  ClearCalls();
  Pass(absl::Minutes(1));
  EXPECT_EQ(Calls(), 6u);
}

TEST_F(SchedulerTest, EditInTheMiddleOfAPassEndsItAndTheNextOneUsesTheNewSettings) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  ConfirmMany(30);
  bool edited = false;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (batch.orders.empty() || std::exchange(edited, true)) return;
    ConnectionUpdate update;
    update.id = connection_.id;
    update.settings = connection_.settings;
    update.settings.name = "renamed";
    ASSERT_OK(storage_->connections().Update(update, Actor(), Now()));
  };
  NextPoll();
  EXPECT_EQ(KnownOrders(), 30);
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(State().odoo_breaker.failures, 0);
}

TEST_F(SchedulerTest, MoveToAnotherOdooInTheMiddleOfAPassRecordsNothingMoreOfTheOldOne) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  sim_->AddDatabase("shop2");
  Begin();
  const auto orders = ConfirmMany(30);
  bool moved = false;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (batch.orders.empty() || std::exchange(moved, true)) return;
    ConnectionUpdate update;
    update.id = connection_.id;
    update.settings = connection_.settings;
    update.settings.odoo.database = "shop2";
    update.reset_odoo = true;
    ASSERT_OK(storage_->connections().Update(update, Actor(), Now()));
  };
  NextPoll();
  ASSERT_TRUE(moved);
  for (const RecordId order : orders) ASSERT_EQ(Known(order), "") << order;
  EXPECT_EQ(State().started, Now()) << "begun anew, with the other";
}

TEST_F(SchedulerTest, DeletedConnectionEndsItsCoroutine) {
  Begin();
  ASSERT_OK(storage_->connections().Delete(connection_.id, true, Actor(), Now()));
  scheduler_->Refresh(connection_.id);
  RunUntilIdle(io_);
  EXPECT_EQ(tasks_->Running(), 0);
  EXPECT_THAT(PollNow(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SchedulerTest, StopEndsARunningPassAtItsNextBatch) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  ConfirmMany(50);
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (!batch.orders.empty()) scheduler_->Stop();
  };
  NextPoll();
  EXPECT_EQ(tasks_->Running(), 0);
  EXPECT_EQ(KnownOrders(), 10);
  EXPECT_EQ(State().last_poll.error, "");
}

TEST_F(SchedulerTest, SlowPassesDoNotPileUp) {
  Begin();
  sim_->SetBeforeCall([&](const OdooCall&) { clock_.Advance(absl::Seconds(150)); });
  NextPoll();
  sim_->SetBeforeCall(nullptr);
  ClearCalls();
  Pass(absl::Seconds(29));
  EXPECT_EQ(Calls(), 0u);
  Pass(absl::Seconds(61));
  EXPECT_EQ(Calls(), 2u);
}

TEST_F(SchedulerTest, QuietPollWritesNeitherEventNorLogRow) {
  Begin();
  Events();
  for (int i = 0; i < 10; ++i) NextPoll();
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_THAT(Logs(), IsEmpty());
  EXPECT_EQ(State().last_poll.at, Now());
}

TEST_F(SchedulerTest, PollThatFoundSomethingLeavesOneLogRow) {
  Begin();
  ConfirmMany(150);
  NextPoll();
  ASSERT_EQ(Logs().size(), 1u);
  EXPECT_EQ(Logs().front().kind, "poll");
  EXPECT_EQ(Logs().front().recorded, 150);
  EXPECT_EQ(Logs().front().listed, 150);
  EXPECT_EQ(State().last_poll.found, 150);
}

TEST_F(SchedulerTest, ConnectionsOfOneDatabaseTakeTurns) {
  Begin();
  Begin(Settings("second"));
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(SchedulerTest, PollOnDemandCountsEveryOrderOnce) {
  Begin();
  ConfirmMany(5);
  const auto result = PollNow();
  ASSERT_OK(result);
  EXPECT_EQ(result->listed, 5);
  EXPECT_EQ(result->recorded, 5);
  EXPECT_EQ(result->unchanged, 0);
}

TEST_F(SchedulerTest, OrderThatWasLeftToThisPollIsReadAndCountedOnce) {
  ReadPlainly();
  Begin();
  const auto orders = ConfirmMany(5);
  bool touched = false;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || call.method != "read" || std::exchange(touched, true)) {
      return;
    }
    clock_.Advance(absl::Seconds(1));
    for (const RecordId order : orders) ASSERT_OK(shop().TouchOrder(order));
  });
  NextPoll();
  ASSERT_EQ(KnownOrders(), 0) << "they changed while they were read";
  ClearCalls();
  const auto result = PollNow();
  ASSERT_OK(result);
  EXPECT_EQ(result->recorded, 5);
  EXPECT_EQ(result->unchanged, 0);
  EXPECT_EQ(OrdersRead(), 5);
}

TEST_F(SchedulerTest, OrderThatLeavesTheOverlapWithinAPassIsCountedOnce) {
  ConnectionSettings settings = Settings();
  settings.paused_polling = true;
  Begin(settings);
  ASSERT_OK(PollNow());
  ConfirmMany(5);
  Pass(absl::Minutes(5) - absl::Seconds(1));
  // Between the poll and the line query of one pass.
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model == "sale.order.line" && call.method == "search_read")
      clock_.Advance(absl::Seconds(1));
  });
  ClearCalls();
  const auto result = PollNow();
  ASSERT_OK(result);
  EXPECT_EQ(result->listed, 5);
  EXPECT_EQ(result->recorded, 5);
  EXPECT_EQ(result->unchanged, 0);
  EXPECT_EQ(OrdersRead(), 10) << "the last look is not saved";
}

TEST_F(SchedulerTest, AllReadersHoldTheLaneFromReadToCommit) {
  options_.batch_size = 5;
  options_.sweep_interval = absl::Minutes(1);
  StopScheduler();
  StartScheduler();
  ConfirmMany(60);
  clock_.Advance(absl::Hours(1));
  // What happens, in its order: a read in full, any other call, a commit.
  std::string story;
  sim_->SetBeforeCall(
      [&](const OdooCall& call) { story += call.method == "web_read" ? 'R' : '.'; });
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (!batch.orders.empty()) story += 'C';
  };
  ConnectionSettings settings = Settings();
  settings.interval = absl::Seconds(5);
  settings.line_interval = absl::Seconds(5);
  settings.start_from.kind = StartFrom::Kind::kBeginning;
  http_->SetLatency(sleeper_, absl::Milliseconds(200));
  Begin(settings);
  const auto done = [](const std::exception_ptr&, const absl::StatusOr<ResendResult>&) {};
  for (int i = 0; i < 60; ++i) {
    // Polls find new orders, line queries their lines, the backfill and the sweep go on behind.
    const RecordId order = Confirm();
    Pass(absl::Seconds(2));
    ASSERT_OK(shop().EditLineDescription(LineOf(order), "line " + std::to_string(i)));
    if (i % 10 == 0) {
      ResendRequest request;
      request.last = 10;
      auto resend = scheduler_->Resend(connection_.id, request, Actor());
      boost::asio::co_spawn(io_, std::move(resend), done);
    }
  }
  http_->SetLatency(sleeper_, absl::ZeroDuration());
  Pass(absl::Minutes(10));
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(http_->most_in_flight(), 1) << "calls of one connection are sequential";
  std::size_t reads = 0;
  for (std::size_t i = 0; i + 1 < story.size(); ++i) {
    if (story[i] != 'R') continue;
    ++reads;
    EXPECT_EQ(story[i + 1], 'C') << "another call came between read and commit: "
                                 << story.substr(i > 10 ? i - 10 : 0, 20);
  }
  EXPECT_GT(reads, 40u);
}

TEST_F(SchedulerTest, NoHerdAtAStartAndAfterAnOutage) {
  std::mt19937 chance(7);
  for (int i = 0; i < 5000; ++i) random_.Push(std::uniform_real_distribution<double>(0, 1)(chance));
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 20; ++i) {
    auto made =
        storage_->connections().Create(Settings("shop " + std::to_string(i)), Actor(), Now());
    ASSERT_OK(made);
    ids.push_back(made->id);
    scheduler_->Add(made->id, /*spread=*/true);
  }
  // How many of the passes that began last began within one and the same second.
  const auto together = [&] {
    std::map<std::int64_t, int> seconds;
    int most = 0;
    for (const ConnectionId id : ids) {
      const absl::Time at = storage_->connections().Get(id)->state.last_poll.at;
      most = std::max(most, ++seconds[absl::ToUnixSeconds(at)]);
    }
    return most;
  };
  Pass(absl::Minutes(1));
  EXPECT_LE(together(), 4) << "at the start";
  const int outage = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  Pass(absl::Minutes(20));
  for (const ConnectionId id : ids) {
    ASSERT_NE(storage_->connections().Get(id)->state.odoo_breaker.state, BreakerState::kClosed);
  }
  sim_->faults().Remove(outage);
  Pass(absl::Minutes(4));
  for (const ConnectionId id : ids) {
    EXPECT_EQ(storage_->connections().Get(id)->state.odoo_breaker.state, BreakerState::kClosed);
  }
  EXPECT_LE(together(), 4) << "after the outage";
}

// --- resend ---

TEST_F(SchedulerTest, ResendsTheNewestAndWhatWasBaseline) {
  const RecordId old = Confirm();
  Pass(absl::Minutes(1));
  const RecordId newest = Confirm();
  Begin();
  ASSERT_EQ(Known(newest), "1 baseline");
  ResendRequest request;
  request.last = 1;
  request.dry_run = true;
  EXPECT_THAT(Resend(request).found, ElementsAre(NameOf(newest)));
  EXPECT_EQ(Known(newest), "1 baseline");
  request.dry_run = false;
  const ResendResult result = Resend(request);
  EXPECT_THAT(result.found, ElementsAre(NameOf(newest)));
  EXPECT_EQ(result.requeued, 1);
  EXPECT_EQ(Known(newest), "1 pending");
  EXPECT_EQ(Known(old), "1 baseline");
}

TEST_F(SchedulerTest, ResendsByIdAndNameAndSaysWhatIsMissing) {
  Begin();
  const RecordId by_id = Confirm();
  const RecordId by_name = Confirm();
  const RecordId draft = Confirm();
  ASSERT_OK(shop().CancelOrder(draft));
  ResendRequest request;
  request.ids = {OrderId(by_id), OrderId(999)};
  request.names = {NameOf(by_name), NameOf(draft), "S99999"};
  const ResendResult result = Resend(request);
  EXPECT_THAT(result.found, UnorderedElementsAre(NameOf(by_id), NameOf(by_name)));
  EXPECT_THAT(result.missing, UnorderedElementsAre("999", NameOf(draft), "S99999"));
  EXPECT_EQ(result.recorded, 2);
  EXPECT_EQ(Known(by_id), "1 pending");
}

TEST_F(SchedulerTest, ResendLeavesALogRowAndADryRunNone) {
  const RecordId order = Confirm();
  Pass(absl::Minutes(1));
  Begin();
  const std::size_t before = Logs().size();
  ResendRequest request;
  request.ids = {OrderId(order)};
  request.dry_run = true;
  Resend(request);
  EXPECT_EQ(Logs().size(), before);
  request.dry_run = false;
  Resend(request);
  ASSERT_EQ(Logs().size(), before + 1);
  const SyncLog log = Logs().front();
  EXPECT_EQ(log.kind, "resend");
  EXPECT_EQ(log.listed, 1);
  EXPECT_EQ(log.recorded, 0);
  EXPECT_EQ(log.unchanged, 1) << "sent once more as it was";
  EXPECT_EQ(log.error, "");
}

TEST_F(SchedulerTest, ResendThatFailsSaysSoInItsLogRow) {
  Begin();
  const std::size_t before = Logs().size();
  sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  ResendRequest request;
  request.last = 1;
  EXPECT_FALSE(Await(scheduler_->Resend(connection_.id, request, Actor())).ok());
  ASSERT_EQ(Logs().size(), before + 1);
  EXPECT_THAT(Logs().front().error, HasSubstr("502"));
}

TEST_F(SchedulerTest, ResendReadsADeadLetterAgain) {
  Begin();
  const RecordId order = Confirm();
  shop().SetRecordFault("sale.order", order, {});
  NextPoll();
  ASSERT_EQ(Known(order), "1 dead");
  shop().ClearRecordFaults();
  ResendRequest request;
  request.ids = {OrderId(order)};
  EXPECT_EQ(Resend(request).recorded, 1);
  EXPECT_EQ(Known(order), "2 pending");
}

// --- test ---

TEST_F(SchedulerTest, TestOfAGoodConnectionIsGreen) {
  Confirm();
  const auto steps = Test(Settings());
  EXPECT_EQ(Results(steps),
            "dns ok; connect ok; tls ok; version ok; login ok; rights ok; read ok; clocks ok; ");
  EXPECT_EQ(Step(steps, "version").detail, "Odoo 17.0, over JSON-RPC");
  EXPECT_THAT(Step(steps, "read").detail, HasSubstr("1 items"));
}

TEST_F(SchedulerTest, TestSaysWhatToDoAboutAWrongKey) {
  ConnectionSettings settings = Settings();
  settings.odoo.api_key = Secret("wrong-key");
  const auto steps = Test(settings);
  EXPECT_EQ(Results(steps),
            "dns ok; connect ok; tls ok; version ok; login FAILED; rights skipped; read skipped; "
            "clocks skipped; ");
  EXPECT_THAT(Step(steps, "login").hint, HasSubstr("API key"));
}

TEST_F(SchedulerTest, TestSaysWhatToDoAboutAnUnknownHost) {
  ConnectionSettings settings = Settings();
  settings.odoo.url = "https://shop.invalid";
  const auto steps = Test(settings);
  EXPECT_EQ(Step(steps, "dns").result, TestStep::Result::kFailed);
  EXPECT_THAT(Step(steps, "dns").hint, HasSubstr("host name"));
  EXPECT_EQ(Step(steps, "version").result, TestStep::Result::kSkipped);
}

TEST_F(SchedulerTest, TestFindsMissingRights) {
  shop().SetRights("admin", Rights::kNone);
  const auto steps = Test(Settings());
  EXPECT_EQ(Step(steps, "rights").result, TestStep::Result::kFailed);
  EXPECT_THAT(Step(steps, "rights").hint, HasSubstr("read access"));
}

TEST_F(SchedulerTest, TestWarnsOfAUserWhoSeesOnlyTheirOwnOrders) {
  EXPECT_EQ(Step(Test(Settings()), "rights").hint, "");
  shop().SetRights("admin", Rights::kOwnDocuments);
  const auto steps = Test(Settings());
  EXPECT_EQ(Step(steps, "rights").result, TestStep::Result::kOk);
  EXPECT_THAT(Step(steps, "rights").hint, HasSubstr("All Documents"));
}

TEST_F(SchedulerTest, TestSaysOfADifferenceBelowADatesPrecisionThatItIsSmall) {
  Pass(absl::Milliseconds(500));
  const auto steps = Test(Settings());
  EXPECT_EQ(Step(steps, "clocks").detail, "Odoo's clock minus ours: less than 1s");
}

TEST_F(SchedulerTest, TestFindsClocksThatDiffer) {
  database_offset_ = absl::Minutes(10);
  Confirm();
  const auto steps = Test(Settings());
  EXPECT_EQ(Step(steps, "clocks").result, TestStep::Result::kFailed);
  EXPECT_THAT(Step(steps, "clocks").detail, HasSubstr("10m"));
}

TEST_F(SchedulerTest, NothingIsPolledWhileTheDiskIsFull) {
  Begin();
  full_ = true;
  Confirm();
  ClearCalls();
  Pass(absl::Minutes(10));
  EXPECT_EQ(Calls(), 0u);
  EXPECT_THAT(PollNow(), StatusIs(absl::StatusCode::kUnavailable, testing::HasSubstr("disk")));
  full_ = false;
  Pass(absl::Minutes(2));
  EXPECT_EQ(State().waiting, 1);
}

TEST_F(SchedulerTest, PassThatFindsTheDiskFullEndsWhereItIsAndGoesOnLater) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  const absl::Time mark = State().mark;
  ConfirmMany(40);
  ingest_->after_commit = [&](const IngestBatch& batch) { full_ = full_ || !batch.orders.empty(); };
  NextPoll();
  EXPECT_EQ(KnownOrders(), 10) << "what was committed stays";
  EXPECT_EQ(State().mark, mark);
  EXPECT_EQ(State().odoo_breaker.failures, 0) << "it is not Odoo's fault";
  ingest_->after_commit = nullptr;
  full_ = false;
  Pass(absl::Minutes(2));
  EXPECT_EQ(KnownOrders(), 40);
  EXPECT_GT(State().mark, mark);
}

}  // namespace
}  // namespace poller::test
