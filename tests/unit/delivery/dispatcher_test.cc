#include "core/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/delivery/dispatcher_fixture.h"

namespace poller {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::string HeaderOf(const FakeNetwork::Request& request, std::string_view name) {
  for (const HttpHeader& header : request.http.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

class DispatcherTest : public DispatcherFixture {};

TEST_F(DispatcherTest, DeliversWhatIsCommittedSigned) {
  StartDispatcher();
  Deliver({1, 2});
  EXPECT_EQ(Accepted(), 2);
  EXPECT_EQ(net_.receiver.Summary().bad_signatures, 0);
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
  EXPECT_THAT(NewEvents(), Contains("delivery_succeeded S1/1"));
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("DEBUG delivered"), HasSubstr("connection=1"),
                                           HasSubstr("order=1"), HasSubstr("delivery="),
                                           HasSubstr("attempt=1"))));
}

TEST_F(DispatcherTest, SendsTheHeadersOfTheWebhook) {
  StartDispatcher();
  Deliver({1});
  ASSERT_THAT(net_.requests(), SizeIs(1));
  const FakeNetwork::Request& request = net_.requests().front();
  EXPECT_EQ(request.http.method, "POST");
  EXPECT_EQ(request.url, "https://receiver.example/hook");
  EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(request, "User-Agent"), "odoo-order-poller");
  EXPECT_EQ(HeaderOf(request, "X-Odoo-Connection-Id"), connection_.uid);
  EXPECT_THAT(request.http.body, HasSubstr("\"connection_id\":\"" + connection_.uid + "\""));
  EXPECT_EQ(HeaderOf(request, "webhook-id"), DeliveryOf(1).delivery.webhook_id);
  EXPECT_EQ(HeaderOf(request, "webhook-timestamp"),
            std::to_string(absl::ToUnixSeconds(clock_.Now())));
  EXPECT_EQ(HeaderOf(request, "X-Webhook-Secret"), "");
}

TEST_F(DispatcherTest, SendsTheSecretItselfOnlyWhereItIsAskedFor) {
  ConnectionSettings settings = ShopSettings("legacy");
  settings.webhook.secret = Secret("webhook-secret-of-shop");
  settings.webhook.legacy_secret_header = true;
  AddConnection(settings);
  StartDispatcher();
  Deliver({1});
  ASSERT_THAT(net_.requests(), SizeIs(1));
  EXPECT_EQ(HeaderOf(net_.requests()[0], "X-Webhook-Secret"), "webhook-secret-of-shop");
}

TEST_F(DispatcherTest, RetriesAfterTheBackoffWithTheSameIdAndBytes) {
  StartDispatcher();
  Answer(500);
  Deliver({1});
  Pass(absl::Seconds(29));
  EXPECT_THAT(net_.requests(), SizeIs(1));
  Answer(200);
  Pass(absl::Seconds(1));
  ASSERT_THAT(net_.requests(), SizeIs(2));
  const auto& [first, second] = std::tie(net_.requests()[0], net_.requests()[1]);
  EXPECT_EQ(first.http.body, second.http.body);
  EXPECT_EQ(HeaderOf(first, "webhook-id"), HeaderOf(second, "webhook-id"));
  EXPECT_NE(HeaderOf(first, "webhook-timestamp"), HeaderOf(second, "webhook-timestamp"));
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
}

TEST_F(DispatcherTest, ARetrySendsTheSameBytesThoughTheSettingsChanged) {
  StartDispatcher();
  Answer(500);
  Deliver({1});
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.external_id = "another";
  update.changed = {"external_id"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  Answer(200);
  Pass(absl::Seconds(30));
  ASSERT_THAT(net_.requests(), SizeIs(2));
  EXPECT_EQ(net_.requests()[0].http.body, net_.requests()[1].http.body);
  EXPECT_EQ(net_.requests()[0].connection_id, net_.requests()[1].connection_id);
}

TEST_F(DispatcherTest, BacksOffFurtherWithEachFailure) {
  StartDispatcher();
  Answer(400);
  Deliver({1});
  Pass(absl::Minutes(40));
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 30, 90, 210, 450, 930, 1530, 2130));
}

TEST_F(DispatcherTest, NeverHasTwoInFlightForOneOrder) {
  StartDispatcher();
  net_.Hold();
  Deliver({1}, "a");
  Deliver({1}, "b", 1);
  Pass(absl::Minutes(5));
  EXPECT_THAT(net_.requests(), SizeIs(1));
  net_.Answer();
  Run();
  Pass(absl::Seconds(1));
  ASSERT_THAT(net_.requests(), SizeIs(2));
  EXPECT_EQ(net_.requests()[1].revision, 2);
}

TEST_F(DispatcherTest, OneOrderInFlightDoesNotHoldUpOthersNorSpin) {
  StartDispatcher();
  net_.Hold();
  Deliver({1}, "a");
  Deliver({1}, "b", 1);
  Deliver({2}, "a");
  EXPECT_THAT(net_.Orders(), ElementsAre(1, 2));
}

TEST_F(DispatcherTest, KeepsToItsLimitInFlight) {
  StartDispatcher();
  net_.Hold();
  Deliver({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(net_.held(), 8);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 8);
  EXPECT_THAT(net_.requests(), SizeIs(9));
  net_.Release();
  Run();
  EXPECT_EQ(Accepted(), 10);
  EXPECT_EQ(net_.most_in_flight(), 8);
}

TEST_F(DispatcherTest, FindsWhatNoHintToldOf) {
  StartDispatcher();
  Commit({1});
  Run();
  EXPECT_THAT(net_.requests(), IsEmpty());
  Pass(absl::Seconds(60));
  EXPECT_EQ(Accepted(), 1);
}

// --- holds ---

TEST_F(DispatcherTest, WaitsForRetryAfterOn503) {
  StartDispatcher();
  Answer(503, absl::Seconds(40));
  Deliver({1});
  Answer(200);
  Deliver({2});
  Pass(absl::Seconds(39));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.Orders(), UnorderedElementsAre(1, 1, 2));
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
}

TEST_F(DispatcherTest, WaitsForRetryAfterOn429HoweverOften) {
  StartDispatcher();
  Answer(429, absl::Seconds(10));
  Deliver({1});
  Pass(absl::Seconds(95));
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 10, 20, 30, 40, 50, 60, 70, 80, 90));
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
}

TEST_F(DispatcherTest, BacksTheLegOffOn429WithoutATime) {
  StartDispatcher();
  Answer(429);
  Deliver({1});
  Deliver({2});
  Pass(absl::Seconds(29));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.Orders(), UnorderedElementsAre(1, 1, 2));
  Pass(absl::Seconds(59));
  EXPECT_THAT(net_.requests(), SizeIs(3));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.requests(), SizeIs(5));
}

TEST_F(DispatcherTest, APauseHoldsEverythingUntilItEnds) {
  StartDispatcher();
  SetPaused(true);
  Deliver({1});
  Pass(absl::Hours(1));
  EXPECT_THAT(net_.requests(), IsEmpty());
  SetPaused(false);
  EXPECT_EQ(Accepted(), 1);
}

TEST_F(DispatcherTest, AGoneReceiverIsPausedAndProbedEveryQuarterOfAnHour) {
  StartDispatcher();
  Answer(410);
  Deliver({1});
  Deliver({2, 3});
  EXPECT_THAT(Circuit(), ElementsAre("receiver_gone"));
  EXPECT_TRUE(State().receiver_gone_since.has_value());
  Pass(absl::Minutes(14));
  EXPECT_THAT(net_.requests(), SizeIs(1));
  Pass(absl::Minutes(2));
  EXPECT_THAT(net_.requests(), SizeIs(2));
  Answer(200);
  Pass(absl::Minutes(15));
  EXPECT_EQ(Accepted(), 3);
  EXPECT_FALSE(State().receiver_gone_since.has_value());
}

TEST_F(DispatcherTest, AnOperatorsEndOfGoneIsFollowed) {
  StartDispatcher();
  Answer(410);
  Deliver({1});
  Answer(200);
  Deliver({2});
  EXPECT_EQ(Accepted(), 0);
  ASSERT_OK(storage_->connections().EndSuspension(connection_.id, kActor, clock_.Now()));
  Hint();
  EXPECT_EQ(Accepted(), 1);
}

// --- the breaker ---

TEST_F(DispatcherTest, OpensAfterFiveFailuresAndSendsNothingMore) {
  StartDispatcher();
  options_.deliveries_per_connection = 1;
  Answer(500);
  for (int order = 1; order <= 7; ++order) Deliver({order});
  EXPECT_THAT(net_.Orders(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
  EXPECT_THAT(Circuit(), ElementsAre("circuit_opened"));
  Pass(absl::Seconds(119));
  EXPECT_THAT(net_.requests(), SizeIs(5));
  for (int order = 1; order <= 5; ++order) EXPECT_EQ(DeliveryOf(order).delivery.spent, 0);
}

TEST_F(DispatcherTest, ProbesOneAtATimeAndClosesAfterTwo) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 5; ++order) Deliver({order});
  for (int order = 6; order <= 20; ++order) Deliver({order});
  Circuit();
  Answer(200);
  net_.Hold();
  Pass(absl::Seconds(120));
  EXPECT_EQ(net_.held(), 1);
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 1);
  net_.Answer();
  Run();
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
  EXPECT_THAT(Circuit(), ElementsAre("circuit_half_open", "circuit_closed"));
  // The ramp: one, then two, then four at a time.
  EXPECT_EQ(net_.held(), 1);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 2);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 4);
  net_.Release();
  Pass(absl::Minutes(10));
  EXPECT_EQ(Accepted(), 20);
}

TEST_F(DispatcherTest, AFailedProbeOpensItAgain) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Circuit();
  Pass(absl::Seconds(121));
  EXPECT_THAT(net_.requests(), SizeIs(6));
  EXPECT_THAT(Circuit(), ElementsAre("circuit_half_open", "circuit_opened"));
}

TEST_F(DispatcherTest, AnUnreachableReceiverSpendsNoOrdersAttempts) {
  StartDispatcher();
  net_.Break(TransportFailure::kConnect);
  for (int order = 1; order <= 3; ++order) Deliver({order});
  Pass(absl::Hours(24));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
  for (int order = 1; order <= 3; ++order) {
    EXPECT_EQ(DeliveryOf(order).delivery.spent, 0);
    EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kPending);
  }
  net_.Mend();
  Pass(absl::Minutes(20));
  EXPECT_EQ(Accepted(), 3);
}

TEST_F(DispatcherTest, AnOpenBreakerSurvivesARestart) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  StopDispatcher();
  Reopen();
  Answer(200);
  StartDispatcher();
  Pass(absl::Seconds(109));
  EXPECT_THAT(net_.requests(), SizeIs(5));
  Pass(absl::Seconds(2));
  ASSERT_GE(net_.requests().size(), 6u);
  EXPECT_EQ(net_.requests()[5].order, 6);
}

TEST_F(DispatcherTest, ResetClosesItStoresThatAndSendsAtOnce) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Circuit();
  Answer(200);
  EXPECT_OK(Await(dispatcher_->ResetCircuit(connection_.id)));
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  EXPECT_THAT(Circuit(), ElementsAre("circuit_closed"));
  EXPECT_EQ(Accepted(), 1);
  EXPECT_THAT(Await(dispatcher_->ResetCircuit(ConnectionId(99))),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DispatcherTest, AnotherReceiverStartsWithAClosedBreaker) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.webhook.url = "https://new.example/hook";
  update.changed = {"webhook.url"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  Answer(200);
  Hint();
  EXPECT_EQ(net_.requests().back().url, "https://new.example/hook");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
}

TEST_F(DispatcherTest, ConnectionsToOneReceiverShareTheProbe) {
  const Connection first = connection_;
  ConnectionSettings settings = ShopSettings("second");
  settings.webhook.url = "https://receiver.example/other";
  settings.webhook.secret = Secret("webhook-secret-of-shop");
  const Connection second = AddConnection(settings);
  StartDispatcher();
  dispatcher_->Add(first.id);
  Answer(500);
  for (const Connection& connection : {first, second}) {
    connection_ = connection;
    for (int order = 1; order <= 6; ++order) Deliver({order});
  }
  ASSERT_THAT(net_.requests(), SizeIs(10));
  Answer(200);
  net_.Hold();
  Pass(absl::Seconds(125));
  EXPECT_EQ(net_.held(), 1);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 1);
  EXPECT_NE(net_.requests()[10].connection_id, net_.requests()[11].connection_id);
}

// --- blame ---

TEST_F(DispatcherTest, SixPoisonOrdersForEverDoNotHoldUpTheGoodOnes) {
  StartDispatcher();
  for (int order = 1; order <= 6; ++order) AnswerOrder(order, 500);
  Deliver({1, 2, 3, 4, 5, 6});
  absl::Duration slowest;
  for (int order = 100; order < 160; ++order) {
    const absl::Duration committed = clock_.Monotonic();
    Deliver({order});
    for (int i = 0; i < 60 && StatusOfOrder(order) != DeliveryStatus::kDelivered; ++i) {
      Pass(absl::Seconds(30));
    }
    slowest = std::max(slowest, clock_.Monotonic() - committed);
    ASSERT_EQ(StatusOfOrder(order), DeliveryStatus::kDelivered) << order;
    Pass(absl::Minutes(1));
  }
  // At worst one open breaker: 120 s, and the steps of 30 s above.
  EXPECT_LE(slowest, absl::Seconds(150));
  for (int order = 1; order <= 6; ++order) {
    EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kDead) << order;
    EXPECT_EQ(DeliveryOf(order).delivery.spent, 5);
  }
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
}

TEST_F(DispatcherTest, TenMinutesOfRefusingEverythingKillNoOrder) {
  StartDispatcher();
  Deliver({100});
  Answer(400);
  std::vector<int> orders;
  for (int order = 1; order <= 30; ++order) orders.push_back(order);
  Deliver(orders);
  Pass(absl::Minutes(10));
  for (const int order : orders) EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kPending) << order;
  Answer(200);
  Pass(absl::Minutes(11));
  EXPECT_EQ(Accepted(), 31);
}

TEST_F(DispatcherTest, ARefusedOrderIsDeadAfterItsAttemptsAndSaysSo) {
  StartDispatcher();
  AnswerOrder(1, 422);
  Deliver({1});
  for (int good = 100; good < 130; ++good) {
    Pass(absl::Minutes(2));
    Deliver({good});
  }
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDead);
  // Nobody had been accepted between the first three; each of the other five is the order's fault.
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 30, 90, 210, 450, 930, 1530, 2130));
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("INFO given up"), HasSubstr("order=1"))));
}

TEST_F(DispatcherTest, ARedirectIsAFailure) {
  StartDispatcher();
  Answer(302);
  Deliver({1});
  EXPECT_THAT(net_.requests(), SizeIs(1));
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kPending);
  EXPECT_EQ(DeliveryOf(1).delivery.last_http_status, 302);
}

// --- what an operator forces ---

TEST_F(DispatcherTest, AForcedRetryGoesPastBreakerAndBackoff) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Answer(200);
  ASSERT_OK(outbox_->Retry(DeliveryOf(3).delivery.id, kActor, clock_.Read()).status());
  Hint();
  EXPECT_EQ(net_.requests().back().order, 3);
  EXPECT_EQ(StatusOfOrder(3), DeliveryStatus::kDelivered);
  EXPECT_THAT(net_.requests(), SizeIs(6));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
}

TEST_F(DispatcherTest, AForcedRetryGoesPastRetryAfter) {
  StartDispatcher();
  Answer(429, absl::Hours(1));
  Deliver({1});
  Answer(200);
  ASSERT_OK(outbox_->Retry(DeliveryOf(1).delivery.id, kActor, clock_.Read()).status());
  Hint();
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
}

// --- a store that fails, a stop, a deletion ---

TEST_F(DispatcherTest, KeepsAnOutcomeThatCannotBeStoredAndClaimsNothingNew) {
  StartDispatcher();
  outbox_->fail_resolves = true;
  Deliver({1});
  Deliver({2});
  Pass(absl::Minutes(5));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  EXPECT_GT(outbox_->failed_resolves, 10);
  outbox_->fail_resolves = false;
  Pass(absl::Seconds(2));
  EXPECT_THAT(net_.Orders(), ElementsAre(1, 2));
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
  EXPECT_EQ(StatusOfOrder(2), DeliveryStatus::kDelivered);
}

TEST_F(DispatcherTest, AStopWaitsForWhatIsInFlightAndClaimsNoMore) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  dispatcher_->Stop();
  Commit({2});
  dispatcher_->Hint(connection_.id);
  Pass(absl::Minutes(2));
  EXPECT_GT(tasks_.Running(), 0);
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  net_.Answer();
  Run();
  EXPECT_EQ(tasks_.Running(), 0);
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
  EXPECT_EQ(StatusOfOrder(2), DeliveryStatus::kPending);
}

TEST_F(DispatcherTest, ARequestCutOffByTheStopStaysPendingAndIsRepeatedUnderItsId) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  dispatcher_->Stop();
  net_.Answer(TransportFailure::kCancelled);
  Run();
  EXPECT_EQ(tasks_.Running(), 0);
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kPending);
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  net_.Release();
  Reopen();
  StartDispatcher();
  Pass(absl::Seconds(1));
  ASSERT_THAT(net_.requests(), SizeIs(2));
  EXPECT_EQ(net_.requests()[0].http.body, net_.requests()[1].http.body);
  EXPECT_EQ(net_.receiver.Summary().accepted_ids, 1);
}

TEST_F(DispatcherTest, AStopWithAStoreThatFailsEnds) {
  StartDispatcher();
  outbox_->fail_resolves = true;
  Deliver({1});
  dispatcher_->Stop();
  Pass(absl::Seconds(10));
  EXPECT_EQ(tasks_.Running(), 0);
}

TEST_F(DispatcherTest, TheLoopEndsWithItsConnection) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  ASSERT_OK(storage_->connections().Delete(connection_.id, /*force=*/true, kActor, clock_.Now()));
  Hint();
  net_.Answer();
  Pass(absl::Minutes(2));
  EXPECT_EQ(tasks_.Running(), 0);
}

TEST_F(DispatcherTest, AddingTwiceIsHarmless) {
  StartDispatcher();
  dispatcher_->Add(connection_.id);
  Run();
  EXPECT_EQ(tasks_.Running(), 1);
}

// --- what is kept of answers ---

TEST_F(DispatcherTest, MasksTheConnectionsSecretsInWhatTheReceiverEchoes) {
  StartDispatcher();
  Answer(500, std::nullopt, "bad secret webhook-secret-of-shop or odoo-key-of-shop\x01!");
  Deliver({1});
  const DeliveryDetails details = DeliveryOf(1);
  ASSERT_THAT(details.attempts, SizeIs(1));
  EXPECT_EQ(details.attempts[0].error, "HTTP 500: bad secret *** or ***\\x01!");
  EXPECT_EQ(details.attempts[0].failure, "refused");
  EXPECT_EQ(details.attempts[0].http_status, 500);
  EXPECT_THAT(log_.lines(), Each(Not(HasSubstr("secret-of-shop"))));
}

TEST_F(DispatcherTest, CutsALongAnswer) {
  StartDispatcher();
  Answer(500, std::nullopt, std::string(100'000, 'x'));
  Deliver({1});
  EXPECT_LE(DeliveryOf(1).attempts.at(0).error.size(), 2100u);
}

TEST_F(DispatcherTest, CountsDeliveriesByOutcome) {
  StartDispatcher();
  AnswerOrder(2, 500);
  Deliver({1, 2});
  const std::string text = metrics_.Serialize();
  EXPECT_THAT(text, HasSubstr("poller_deliveries_total{outcome=\"accepted\"} 1"));
  EXPECT_THAT(text, HasSubstr("poller_deliveries_total{outcome=\"refused\"} 1"));
  EXPECT_THAT(text, HasSubstr("poller_deliveries_in_flight 0"));
}

// --- the test of a connection ---

TEST_F(DispatcherTest, TestsAReceiverWithASignedBody) {
  StartDispatcher();
  const WebhookTest test = Await(dispatcher_->SendTest(connection_));
  EXPECT_TRUE(test.ok);
  EXPECT_EQ(test.http_status, 200);
  EXPECT_EQ(net_.receiver.Summary().tests, 1);
  EXPECT_EQ(net_.requests().at(0).http.body,
            R"({"source":"odoo","test":true,"connection_name":"shop","event":"connection.test"})");
}

TEST_F(DispatcherTest, ATestThatIsUnauthorisedNamesTheFlag) {
  StartDispatcher();
  Answer(401);
  const WebhookTest test = Await(dispatcher_->SendTest(connection_));
  EXPECT_FALSE(test.ok);
  EXPECT_THAT(test.error, HasSubstr("--legacy-secret-header"));
}

}  // namespace
}  // namespace poller
