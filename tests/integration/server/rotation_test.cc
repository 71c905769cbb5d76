#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/services/secret_rotation.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/standard_webhooks.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Stub = v1::ConnectionService::Stub;

class RotateTest : public ServerFixture {
 protected:
  void SetUp() override {
    Start();
    own_hook_ =
        test::HttpServer::Start([this](const test::TestRequest& request) { return Take(request); });
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings();
    request.mutable_connection()->mutable_webhook()->set_url(own_hook_->Url("/hook"));
    request.mutable_connection()->mutable_webhook()->set_legacy_secret_header(true);
    const auto created = Call(connections_, &Stub::CreateConnection, request);
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    shop_ = created->connection().id();
    Poll(shop_);
  }
  v1::RotateWebhookSecretRequest Request(std::int64_t overlap_seconds = -1) {
    v1::RotateWebhookSecretRequest request;
    *request.mutable_connection() = Ref(shop_);
    if (overlap_seconds >= 0) request.mutable_overlap()->set_seconds(overlap_seconds);
    return request;
  }
  Answer<v1::RotateWebhookSecretResponse> Rotate(const v1::RotateWebhookSecretRequest& request) {
    return Call(connections_, &Stub::RotateWebhookSecret, request);
  }
  // Delivers one more order, and gives what the receiver got.
  test::TestRequest Delivered() {
    const std::int64_t before = receiver_.Summary().accepted_orders;
    ConfirmOrder();
    Poll(shop_);
    EXPECT_TRUE(receiver_.WaitFor(
        [before](const auto& summary) { return summary.accepted_orders > before; },
        absl::Seconds(20)));
    absl::MutexLock lock(&mu_);
    return last_;
  }
  static test::Verdict Check(const test::TestRequest& request, const std::string& secret) {
    return test::VerifyWebhook(request, {secret}, SystemClock().Now(), absl::Minutes(5));
  }
  // What came last, before the receiver judged it.
  test::TestReply Take(const test::TestRequest& request) {
    {
      absl::MutexLock lock(&mu_);
      last_ = request;
    }
    return receiver_.Handle(request);
  }

  absl::Mutex mu_;
  test::TestRequest last_ ABSL_GUARDED_BY(mu_);
  std::int64_t shop_ = 0;
  std::unique_ptr<test::HttpServer> own_hook_;
};

TEST_F(RotateTest, AReceiverWithEitherSecretAcceptsDuringTheOverlap) {
  const auto rotated = Rotate(Request());
  ASSERT_TRUE(rotated.ok()) << rotated.status.error_message();
  const std::string fresh = rotated->secret();
  EXPECT_THAT(fresh, testing::StartsWith("whsec_"));
  EXPECT_TRUE(rotated->connection().webhook().has_rotation_end_time());
  const test::TestRequest during = Delivered();
  EXPECT_EQ(Check(during, fresh), test::Verdict::kValid);
  EXPECT_EQ(Check(during, "shop-secret"), test::Verdict::kValid);
  EXPECT_EQ(Check(during, "another"), test::Verdict::kBadSignature);
  EXPECT_EQ(during.headers.Get("X-Webhook-Secret"), "shop-secret");

  // The end comes at once with the present secret and no overlap.
  auto end = Request(0);
  end.set_secret(fresh);
  ASSERT_TRUE(Rotate(end).ok());
  receiver_.AddSecret("", fresh);
  const test::TestRequest after = Delivered();
  EXPECT_EQ(Check(after, fresh), test::Verdict::kValid);
  EXPECT_EQ(Check(after, "shop-secret"), test::Verdict::kBadSignature);
  EXPECT_EQ(after.headers.Get("X-Webhook-Secret"), fresh);
  EXPECT_FALSE(Shop(shop_).webhook().has_rotation_end_time());
}

TEST_F(RotateTest, TheSecretIsShownOnceAndNowhereElse) {
  auto request = Request();
  request.set_request_id("request-1");
  const std::string secret = Rotate(request)->secret();
  ASSERT_NE(secret, "");
  const auto again = Rotate(request);
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again->secret(), "");
  EXPECT_THAT(Shop(shop_).SerializeAsString(), Not(HasSubstr(secret)));
  const std::int64_t newest = NewestSequence();
  v1::StreamSyncEventsRequest all;
  all.set_after_sequence(0);
  EventReader reader = Events(all);
  while (const auto event = reader.NextEvent()) {
    EXPECT_THAT(event->SerializeAsString(), Not(HasSubstr(secret)));
    if (event->sequence() >= newest) break;
  }
  request.mutable_overlap()->set_seconds(60);
  EXPECT_THAT(Rotate(request), FailsWith(grpc::ALREADY_EXISTS, "REQUEST_ID_REUSED"));
}

TEST_F(RotateTest, TakesTheCallersOwnSecretAndDoesNotRepeatIt) {
  auto request = Request();
  request.set_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const auto rotated = Rotate(request);
  ASSERT_TRUE(rotated.ok()) << rotated.status.error_message();
  EXPECT_EQ(rotated->secret(), "");
  EXPECT_EQ(Check(Delivered(), request.secret()), test::Verdict::kValid);
}

TEST_F(RotateTest, RefusesWhatItCannotDo) {
  auto wrong = Request();
  wrong.set_secret("two\nlines");
  wrong.mutable_overlap()->set_seconds(31 * 86'400);
  EXPECT_THAT(WrongFields(Rotate(wrong).status), ElementsAre("secret", "overlap"));
  EXPECT_THAT(WrongFields(Rotate(v1::RotateWebhookSecretRequest()).status),
              ElementsAre("connection"));
  auto stale = Request();
  stale.set_etag("v99");
  EXPECT_THAT(Rotate(stale), FailsWith(grpc::ABORTED, "ETAG_MISMATCH"));
  auto unknown = Request();
  unknown.mutable_connection()->set_id(999);
  EXPECT_THAT(Rotate(unknown), FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
  auto right = Request();
  right.set_etag(Shop(shop_).etag());
  ASSERT_TRUE(Rotate(right).ok());
  EXPECT_THAT(Rotate(Request()), FailsWith(grpc::FAILED_PRECONDITION, "ROTATION_RUNS"));
}

TEST_F(RotateTest, ASecretWhoseAnswerWasLostIsReplacedWhileTheOneBeforeSigns) {
  auto again = Request();
  again.set_replace_new_secret(true);
  EXPECT_THAT(Rotate(again), FailsWith(grpc::FAILED_PRECONDITION, "NO_ROTATION_RUNS"));
  const auto lost = Rotate(Request());
  ASSERT_TRUE(lost.ok()) << lost.status.error_message();
  const auto replaced = Rotate(again);
  ASSERT_TRUE(replaced.ok()) << replaced.status.error_message();
  EXPECT_NE(replaced->secret(), lost->secret());
  EXPECT_EQ(replaced->connection().webhook().rotation_end_time().seconds(),
            lost->connection().webhook().rotation_end_time().seconds());
  const test::TestRequest delivered = Delivered();
  EXPECT_EQ(Check(delivered, replaced->secret()), test::Verdict::kValid);
  EXPECT_EQ(Check(delivered, "shop-secret"), test::Verdict::kValid);
  EXPECT_EQ(Check(delivered, lost->secret()), test::Verdict::kBadSignature);
  again.mutable_overlap();
  EXPECT_THAT(WrongFields(Rotate(again).status), ElementsAre("overlap"));
}

TEST_F(RotateTest, WhoHasGoneChangesNothing) {
  Stop();
  const auto storage = OpenStorage();
  const SecretChange change{
      .id = ConnectionId(shop_), .secret = Secret("another-secret"), .overlap = absl::Hours(1)};
  auto gone = std::make_shared<rpc::CallState>();
  gone->Cancel();
  EXPECT_THAT(RotateIfWanted(rpc::Call(gone, Token()), storage->connections(), change, Actor(),
                             SystemClock().Now()),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(storage->connections().Get(ConnectionId(shop_))->connection.settings.webhook.secret,
            Secret("shop-secret"));
}

TEST_F(RotateTest, ItsEndIsNoSettingToUpdate) {
  v1::UpdateConnectionRequest update;
  update.mutable_connection()->set_id(shop_);
  update.mutable_update_mask()->add_paths("webhook.rotation_end_time");
  EXPECT_THAT(WrongFields(Call(connections_, &Stub::UpdateConnection, update).status),
              ElementsAre("update_mask"));
}

}  // namespace
}  // namespace poller
