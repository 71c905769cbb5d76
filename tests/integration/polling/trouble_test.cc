// What goes wrong: bad records, slow and broken Odoos, lost logins.
#include "core/polling/torn_orders.h"
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TroubleTest : public PollingFixture {
 protected:
  void BreakLogin() { login_fault_ = sim_->faults().Add({.kind = OdooFault::Kind::kAccessDenied}); }
  void MendLogin() { sim_->faults().Remove(login_fault_); }
  std::string Suspended() {
    const auto state = State();
    return state.suspension.has_value() ? state.suspension->reason : "";
  }
  // Why the newest revision is dead.
  std::string Reason(RecordId order) {
    const auto heads = storage_->ingest().Heads(connection_.id, {OrderId(order)});
    return storage_->outbox().Get(heads->at(0).delivery)->delivery.last_error;
  }
  int login_fault_ = 0;
};

// --- one bad order ---

TEST_F(TroubleTest, ForbiddenOrderIsADeadLetterAndTheOthersFlow) {
  Begin();
  const auto orders = ConfirmMany(100);
  shop().SetRecordFault("sale.order", orders[37], {});
  NextPoll();
  for (const RecordId order : orders) {
    ASSERT_EQ(Known(order), order == orders[37] ? "1 dead" : "1 pending") << order;
  }
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(State().mark, Now());
}

TEST_F(TroubleTest, ForbiddenProductKillsItsOrderAlone) {
  Begin();
  const RecordId partner = shop().AddPartner({.name = "Other"});
  const RecordId secret = shop().AddProduct({.name = "Secret", .default_code = "SEC", .price = 1});
  const RecordId bad =
      shop().CreateConfirmedOrder({.partner_id = partner, .lines = {{.product_id = secret}}});
  const auto good = ConfirmMany(20);
  shop().SetRecordFault("product.product", secret, {});
  NextPoll();
  EXPECT_EQ(Known(bad), "1 dead");
  for (const RecordId order : good) ASSERT_EQ(Known(order), "1 pending");
}

TEST_F(TroubleTest, DeadLetterComesAliveWhenItIsReadAgain) {
  Begin();
  const RecordId order = Confirm();
  shop().SetRecordFault("sale.order", order, {});
  NextPoll();
  ASSERT_EQ(Known(order), "1 dead");
  shop().ClearRecordFaults();
  Pass(absl::Seconds(1));
  ASSERT_OK(shop().TouchOrder(order));
  NextPoll();
  EXPECT_EQ(Known(order), "2 pending");
}

TEST_F(TroubleTest, OrderThatCannotBeMappedIsADeadLetterWithItsRecord) {
  Begin();
  const RecordId bad = Confirm();
  const RecordId good = Confirm();
  ASSERT_OK(shop().Write("sale.order", bad, {{"name", false}}));
  NextPoll();
  EXPECT_EQ(Known(bad), "1 dead");
  EXPECT_THAT(Body(bad), HasSubstr("\"lines\""));
  EXPECT_EQ(Known(good), "1 pending");
}

// Something in Odoo writes the order whenever it is read.
TEST_F(TroubleTest, OrderThatNeverHoldsStillIsADeadLetterAndTheMarkMoves) {
  ReadPlainly();
  Begin();
  const RecordId restless = Confirm();
  const RecordId other = Confirm();
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner") return;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().TouchOrder(restless));
  });
  int polls = 0;
  while (Known(restless).empty() && ++polls < TornOrders::kMostLooks) {
    const absl::Time mark = State().mark;
    NextPoll();
    ASSERT_GT(State().mark, mark) << polls;
  }
  EXPECT_GE(polls, TornOrders::kMostLooks / 3) << "it is given up too soon";
  EXPECT_EQ(Known(other), "1 pending");
  EXPECT_EQ(Known(restless), "1 dead");
  EXPECT_THAT(Reason(restless), HasSubstr("what keeps writing this order"));
  Pass(absl::Hours(1));
  EXPECT_EQ(Known(restless), "1 dead") << "said once";
  sim_->SetBeforeCall(nullptr);
  NextPoll();
  EXPECT_EQ(Known(restless), "2 pending") << "it is looked at all the time";
}

// Once in a while is usual, however often it happens.
TEST_F(TroubleTest, OrderThatIsTornNowAndThenIsNoDeadLetter) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  int reads = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || ++reads % 3 == 0) return;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().EditNote(order, std::to_string(reads)));
  });
  for (int i = 0; i < 3 * TornOrders::kMostLooks; ++i) {
    NextPoll();
    ASSERT_THAT(Known(order), Not(HasSubstr("dead")));
  }
  EXPECT_THAT(Known(order), HasSubstr("pending"));
}

// Odoo names no line that a record rule hides: nothing tells such an order from a smaller one.
TEST_F(TroubleTest, LineThatARuleHidesTearsNothing) {
  for (const bool nested : {true, false}) {
    if (!nested) ReadPlainly();
    Begin(Settings(nested ? "nested" : "plain"));
    const RecordId order = Confirm();
    shop().SetRecordFault("sale.order.line", LineOf(order), {});
    NextPoll();
    EXPECT_EQ(Known(order), "1 pending") << nested;
    EXPECT_THAT(Body(order), HasSubstr(R"("items":[])")) << nested;
  }
}

// A module that overrides `read` passes over a line that its order names.
TEST_F(TroubleTest, OrderWithALineThatReadsLeaveOutIsADeadLetter) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  shop().SetRecordFault("sale.order.line", LineOf(order), {.kind = RecordFault::Kind::kLeftOut});
  for (int look = 0; look < TornOrders::kMostLooks; ++look) NextPoll();
  EXPECT_EQ(Known(order), "1 dead");
  EXPECT_EQ(State().mark, Now());
  Pass(absl::Hours(3));
  EXPECT_EQ(Known(order), "1 dead");
  shop().ClearRecordFaults();
  Pass(absl::Hours(2));
  EXPECT_EQ(Known(order), "2 pending") << "sweeps read it again";
}

TEST_F(TroubleTest, LostRightsKillNoOrder) {
  // The second message is one that only says that a record is refused: whether it was the record or
  // the right shows only on a second look.
  for (const char* message : {"You are not allowed to access 'Product' (product.product) records.",
                              "No tiene permiso para acceder a los registros."}) {
    Begin(Settings(message));
    const auto orders = ConfirmMany(5);
    OdooFault fault{.kind = OdooFault::Kind::kError,
                    .model = "product.product",
                    .name = "odoo.exceptions.AccessError",
                    .message = message};
    const int plain = sim_->faults().Add(fault);
    fault.model = "sale.order";
    fault.method = "web_read";
    const int nested = sim_->faults().Add(fault);
    const absl::Time mark = State().mark;
    NextPoll();
    EXPECT_EQ(Known(orders[0]), "");
    EXPECT_EQ(Suspended(), "rights");
    EXPECT_EQ(State().mark, mark);
    sim_->faults().Remove(plain);
    sim_->faults().Remove(nested);
    Pass(absl::Minutes(15));
    EXPECT_EQ(Known(orders[0]), "1 pending");
  }
}

// --- too much ---

TEST_F(TroubleTest, BatchThatIsTooMuchIsHalvedDownToTheOrderThatHangs) {
  Begin();
  const auto orders = ConfirmMany(50);
  shop().SetRecordFault("sale.order", orders[20], {.kind = RecordFault::Kind::kHang});
  NextPoll();
  for (const RecordId order : orders) {
    ASSERT_EQ(Known(order), order == orders[20] ? "1 dead" : "1 pending") << order;
  }
  EXPECT_EQ(State().last_poll.error, "");
}

TEST_F(TroubleTest, OdooThatHangsAltogetherKillsNoOrder) {
  Begin();
  const auto orders = ConfirmMany(4);
  bool broken = false;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "sale.order.line" || broken) return;
    broken = true;
    sim_->faults().Add({.kind = OdooFault::Kind::kHang});
  });
  NextPoll();
  EXPECT_NE(State().last_poll.error, "");
  sim_->faults().Clear();
  sim_->SetBeforeCall(nullptr);
  NextPoll();
  for (const RecordId order : orders) EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(TroubleTest, ListingThatIsTooLargeIsAskedForInSmallerPages) {
  options_.max_response_bytes = 20000;
  options_.batch_size = 5;
  StopScheduler();
  StartScheduler();
  Begin();
  const auto orders = ConfirmMany(600);
  NextPoll();
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(KnownOrders(), 600);
}

// --- Odoo as a whole ---

TEST_F(TroubleTest, BreakerOpensProbesAndCloses) {
  Begin();
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  Events();
  for (int i = 0; i < 5; ++i) NextPoll();
  EXPECT_EQ(State().odoo_breaker.state, BreakerState::kOpen);
  EXPECT_THAT(Events(), ElementsAre("poll_failed", "circuit_opened"));
  ClearCalls();
  NextPoll();
  EXPECT_EQ(Calls(), 0u) << "nothing is asked of an Odoo that is down";
  NextPoll();
  EXPECT_GT(Calls(), 0u) << "the probe";
  EXPECT_EQ(State().odoo_breaker.state, BreakerState::kOpen);
  sim_->faults().Remove(fault);
  const RecordId order = Confirm();
  Pass(absl::Minutes(4));
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().odoo_breaker.state, BreakerState::kClosed);
  EXPECT_THAT(Events(), Contains("circuit_closed"));
}

TEST_F(TroubleTest, OpenBreakerSurvivesARestart) {
  Begin();
  sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  for (int i = 0; i < 5; ++i) NextPoll();
  ASSERT_EQ(State().odoo_breaker.state, BreakerState::kOpen);
  ClearCalls();
  Restart();
  EXPECT_EQ(Calls(), 0u);
  Pass(absl::Minutes(3));
  EXPECT_GT(Calls(), 0u);
}

TEST_F(TroubleTest, RateLimitDelaysAndIsNoFailure) {
  Begin();
  sim_->faults().Add({.kind = OdooFault::Kind::kStatus,
                      .times = 1,
                      .status = 429,
                      .retry_after = absl::Seconds(300)});
  NextPoll();
  EXPECT_EQ(State().odoo_breaker.failures, 0);
  ClearCalls();
  Pass(absl::Seconds(299));
  EXPECT_EQ(Calls(), 0u);
  Pass(absl::Seconds(1));
  EXPECT_GT(Calls(), 0u);
  EXPECT_EQ(State().last_poll.error, "");
}

TEST_F(TroubleTest, FailuresInARowLeaveOneLogRowAndOneEvent) {
  Begin();
  Events();
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  for (int i = 0; i < 4; ++i) NextPoll();
  EXPECT_EQ(Logs().size(), 1u);
  EXPECT_NE(Logs().front().error, "");
  EXPECT_THAT(Events(), ElementsAre("poll_failed"));
  sim_->faults().Remove(fault);
  NextPoll();
  EXPECT_EQ(Logs().size(), 1u);
  EXPECT_THAT(Events(), ElementsAre("poll_recovered"));
}

// --- logins ---

TEST_F(TroubleTest, RefusedKeySuspendsAtTheSecondTimeAndTheMarkStays) {
  Begin();
  NextPoll();
  const absl::Time mark = State().mark;
  BreakLogin();
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Suspended(), "");
  NextPoll();
  EXPECT_EQ(Suspended(), "credentials");
  EXPECT_THAT(State().suspension->message, HasSubstr("API key"));
  EXPECT_THAT(State().suspension->message, Not(HasSubstr("admin-key")));
  ClearCalls();
  Pass(absl::Minutes(14));
  EXPECT_EQ(Calls(), 0u);
  Pass(absl::Minutes(1));
  EXPECT_GT(Calls(), 0u) << "a probe every 15 minutes";
  EXPECT_EQ(State().mark, mark);
  EXPECT_EQ(State().odoo_breaker.state, BreakerState::kClosed);
  MendLogin();
  Pass(absl::Minutes(15));
  EXPECT_EQ(Suspended(), "");
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(TroubleTest, EditOfTheCredentialsResumesAtOnce) {
  Begin();
  shop().SetKey("admin", "new-key");
  NextPoll();
  NextPoll();
  ASSERT_EQ(Suspended(), "credentials");
  const RecordId order = Confirm();
  Edit([](ConnectionSettings& settings) { settings.odoo.api_key = Secret("new-key"); },
       /*end_suspension=*/true);
  EXPECT_EQ(Suspended(), "");
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().last_poll.error, "");
}

TEST_F(TroubleTest, PollNowThatSucceedsEndsASuspension) {
  Begin();
  BreakLogin();
  NextPoll();
  NextPoll();
  ASSERT_EQ(Suspended(), "credentials");
  MendLogin();
  EXPECT_OK(PollNow());
  EXPECT_EQ(Suspended(), "");
}

TEST_F(TroubleTest, ResetCircuitClosesTheBreakerAndEndsASuspension) {
  Begin();
  BreakLogin();
  NextPoll();
  NextPoll();
  ASSERT_EQ(Suspended(), "credentials");
  MendLogin();
  const RecordId order = Confirm();
  EXPECT_OK(Await(scheduler_->ResetCircuit(connection_.id, Actor())));
  EXPECT_EQ(Suspended(), "");
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(TroubleTest, UidIsStoredAndUsedAfterARestart) {
  Begin();
  EXPECT_EQ(State().odoo_uid, 2);
  EXPECT_EQ(State().odoo_version, "17.0");
  ClearCalls();
  Restart();
  for (const OdooCall& call : sim_->Calls()) EXPECT_NE(call.method, "authenticate");
}

}  // namespace
}  // namespace poller::test
