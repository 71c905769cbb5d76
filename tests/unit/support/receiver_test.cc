#include "tests/support/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/time/time.h"
#include "tests/unit/support/raw_client.h"

namespace poller::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The example of the Standard Webhooks reference libraries.
constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(StandardWebhooksTest, SignsTheKnownExample) {
  EXPECT_EQ(WebhookSignature(kSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                             R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(StandardWebhooksTest, TakesASecretWithoutPrefixAsRawBytes) {
  EXPECT_EQ(WebhookKey("whsec_AAEC"), std::string("\x00\x01\x02", 3));
  EXPECT_EQ(WebhookKey("AAEC"), "AAEC");
  EXPECT_EQ(WebhookKey("whsec_!!!"), "");
}

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() : receiver_({.clock = [this] { return now_; }}) {
    receiver_.AddSecret("", kSecret);
  }

  static std::string Body(std::int64_t order, std::int64_t revision, const std::string& note = "",
                          const std::string& connection = "C1") {
    return R"({"event":"order.confirmed","connection_id":")" + connection + R"(","order":{"id":)" +
           std::to_string(order) + R"(,"name":"S00042","state":"sale","amount_total":119.0,)" +
           R"("write_date":"2026-01-15 10:31:02","note":")" + note + R"(","revision":)" +
           std::to_string(revision) + "}}";
  }

  TestRequest Signed(const std::string& id, const std::string& body,
                     const std::string& secret = kSecret,
                     const std::string& connection = "C1") const {
    TestRequest request;
    request.path = "/hook";
    request.body = body;
    const std::string timestamp = std::to_string(absl::ToUnixSeconds(now_));
    request.headers = {{"Content-Type", "application/json"},
                       {"webhook-id", id},
                       {"webhook-timestamp", timestamp},
                       {"webhook-signature", WebhookSignature(secret, id, timestamp, body)},
                       {"X-Odoo-Connection-Id", connection}};
    return request;
  }

  std::vector<std::string> Violations() const {
    std::vector<std::string> names;
    for (const auto& violation : receiver_.Violations()) names.push_back(violation.what);
    return names;
  }

  absl::Time now_ = absl::FromUnixSeconds(1795530703);
  WebhookReceiver receiver_;
};

TEST_F(ReceiverTest, AcceptsAGoodSignature) {
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 200);
  const auto order = receiver_.FindOrder("C1", 42);
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(order->accepted_revision, 1);
  EXPECT_EQ(order->name, "S00042");
  EXPECT_EQ(order->event, "order.confirmed");
  EXPECT_EQ(order->amount_total, 119.0);
  EXPECT_EQ(receiver_.Summary().accepted_orders, 1);
  EXPECT_THAT(Violations(), IsEmpty());
}

TEST_F(ReceiverTest, RefusesAWrongSecretAChangedBodyAndAMissingHeader) {
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1), "other")).status, 401);
  TestRequest changed = Signed("msg_2", Body(42, 1));
  changed.body += " ";
  EXPECT_EQ(receiver_.Deliver(changed).status, 401);
  TestRequest bare = Signed("msg_3", Body(42, 1));
  bare.headers.Remove("webhook-id");
  EXPECT_EQ(receiver_.Deliver(bare).status, 400);
  EXPECT_EQ(receiver_.Summary().bad_signatures, 3);
  EXPECT_EQ(receiver_.Summary().accepted_ids, 0);
}

TEST_F(ReceiverTest, RefusesATimestampOutsideTheTolerance) {
  const TestRequest old = Signed("msg_1", Body(42, 1));
  now_ += absl::Seconds(301);
  EXPECT_EQ(receiver_.Deliver(old).status, 401);
  EXPECT_EQ(receiver_.Attempts().back().verdict, Verdict::kStale);
}

TEST_F(ReceiverTest, AcceptsOneGoodSignatureAmongSeveral) {
  TestRequest request = Signed("msg_1", Body(42, 1));
  request.headers.Set("webhook-signature", "v1,AAAA " + request.headers.Get("webhook-signature"));
  EXPECT_EQ(receiver_.Deliver(request).status, 200);
}

TEST_F(ReceiverTest, PrefersTheSecretOfTheConnection) {
  receiver_.AddSecret("C1", "raw secret");
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 401);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1), "raw secret")).status, 200);
}

TEST_F(ReceiverTest, ARepeatAfterALostAnswerIsNoDuplicate) {
  receiver_.SetBehaviour({.kind = ReceiverBehaviour::Kind::kResetAfter, .times = 1});
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).ending, Ending::kReset);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 200);
  EXPECT_EQ(receiver_.Summary().repeats, 1);
  EXPECT_EQ(receiver_.Summary().duplicates, 0);
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  EXPECT_EQ(receiver_.Summary().duplicates, 1);
  EXPECT_EQ(receiver_.Summary().accepted_ids, 1);
}

TEST_F(ReceiverTest, ReportsOneIdWithTwoBodies) {
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  receiver_.Deliver(Signed("msg_1", Body(42, 1, "changed")));
  EXPECT_THAT(Violations(), ElementsAre("same-id-different-bytes"));
}

TEST_F(ReceiverTest, ReportsTwoIdsForOneRevision) {
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  receiver_.Deliver(Signed("msg_2", Body(42, 1)));
  EXPECT_THAT(Violations(), ElementsAre("two-ids-for-one-revision"));
}

TEST_F(ReceiverTest, ReportsARevisionThatWentBack) {
  receiver_.SetBehaviour({.status = 503});
  receiver_.Deliver(Signed("msg_2", Body(42, 2)));
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  EXPECT_THAT(Violations(), ElementsAre("revision-went-back"));
}

TEST_F(ReceiverTest, KeepsOrdersOfTwoConnectionsApart) {
  receiver_.Deliver(Signed("msg_2", Body(42, 2)));
  receiver_.Deliver(Signed("msg_1", Body(42, 1, "", "C2"), kSecret, "C2"));
  EXPECT_THAT(Violations(), IsEmpty());
  EXPECT_EQ(receiver_.Summary().accepted_orders, 2);
}

TEST_F(ReceiverTest, ReportsTwoAttemptsInFlightForOneOrder) {
  const TestReply first = receiver_.Handle(Signed("msg_1", Body(42, 1)));
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  EXPECT_THAT(Violations(), ElementsAre("two-in-flight"));
  first.on_done(true);
  receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  EXPECT_EQ(receiver_.Violations().size(), 1U);
}

TEST_F(ReceiverTest, ReportsAConnectionIdThatDiffersFromTheHeader) {
  receiver_.Deliver(Signed("msg_1", Body(42, 1, "", "C2")));
  EXPECT_THAT(Violations(), ElementsAre("connection-id-differs"));
}

TEST_F(ReceiverTest, FailsAsToldAndForAsLongAsTold) {
  receiver_.SetBehaviour(
      {.status = 503, .retry_after = absl::Seconds(7), .until = now_ + absl::Seconds(10)});
  const TestReply refused = receiver_.Deliver(Signed("msg_1", Body(42, 1)));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "7");
  now_ += absl::Seconds(10);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 200);
  EXPECT_EQ(receiver_.Summary().refused, 1);
}

TEST_F(ReceiverTest, RefusesOneOrderAlone) {
  receiver_.SetOrderStatus(42, 422);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 422);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_2", Body(43, 1))).status, 200);
  receiver_.SetOrderStatus(42, 0);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 200);
}

TEST_F(ReceiverTest, FailsForOneConnectionAlone) {
  receiver_.SetBehaviour({.status = 500}, "C2");
  EXPECT_EQ(receiver_.Deliver(Signed("msg_1", Body(42, 1))).status, 200);
  EXPECT_EQ(receiver_.Deliver(Signed("msg_2", Body(42, 1, "", "C2"), kSecret, "C2")).status, 500);
}

TEST_F(ReceiverTest, CountsTestsApart) {
  receiver_.Deliver(Signed("msg_t", R"({"source":"odoo","test":true,"event":"connection.test"})"));
  EXPECT_EQ(receiver_.Summary().tests, 1);
  EXPECT_EQ(receiver_.Summary().accepted_ids, 0);
  EXPECT_THAT(Violations(), IsEmpty());
}

TEST_F(ReceiverTest, ReportsABodyThatIsNoOrder) {
  receiver_.Deliver(Signed("msg_1", "[]"));
  EXPECT_THAT(Violations(), ElementsAre("malformed-body"));
}

std::string Wire(const TestRequest& request) {
  std::string text = "POST " + request.path + " HTTP/1.1\r\nHost: x\r\n";
  for (const auto& [name, value] : request.headers.fields()) text += name + ": " + value + "\r\n";
  return text + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" +
         request.body;
}

TEST_F(ReceiverTest, ServesOverASocket) {
  const auto server = receiver_.Serve();
  RawClient client(server->port());
  client.Send(Wire(Signed("msg_1", Body(42, 1))));
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(receiver_.Summary().accepted_ids, 1);
}

TEST_F(ReceiverTest, KnowsThatAnAnswerWasLostWhenTheSenderLeft) {
  receiver_.SetBehaviour({.delay = absl::Hours(1), .times = 1});
  const auto server = receiver_.Serve();
  {
    RawClient client(server->port());
    client.Send(Wire(Signed("msg_1", Body(42, 1))));
    ASSERT_TRUE(receiver_.WaitFor([](const auto& summary) { return summary.attempts == 1; },
                                  absl::Seconds(5)));
  }
  while (server->counts().in_flight > 0) std::this_thread::yield();
  RawClient again(server->port());
  again.Send(Wire(Signed("msg_1", Body(42, 1))));
  EXPECT_THAT(again.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(receiver_.Summary().repeats, 1);
  EXPECT_THAT(Violations(), IsEmpty());
}

TEST_F(ReceiverTest, ResetsBeforeReadingTheBody) {
  receiver_.SetBehaviour({.kind = ReceiverBehaviour::Kind::kResetBefore, .times = 1});
  const auto server = receiver_.Serve();
  RawClient client(server->port());
  client.Send(Wire(Signed("msg_1", Body(42, 1))));
  client.ReadToEnd();
  EXPECT_TRUE(client.was_reset());
  EXPECT_EQ(receiver_.Summary().attempts, 0);
  EXPECT_EQ(receiver_.Summary().unanswered, 1);
}

}  // namespace
}  // namespace poller::test
