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
