// Who has gone is not worked for.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using Stub = v1::ConnectionService::Stub;

// An Odoo that answers when the test says so.
class SlowOdoo {
 public:
  SlowOdoo()
      : server_(*test::HttpServer::Start({}, [this](test::TestRequest, test::Responder responder) {
          absl::MutexLock lock(&mu_);
          if (at_once_) return Send(responder);
          waiting_.push_back(std::move(responder));
        })) {}
  std::string Url() const { return server_->Url(""); }
  void WaitForOne() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](std::vector<test::Responder>* waiting) { return !waiting->empty(); }, &waiting_));
  }
  void Answer() {
    absl::MutexLock lock(&mu_);
    for (const test::Responder& responder : waiting_) Send(responder);
    waiting_.clear();
  }
  void Hold() {
    absl::MutexLock lock(&mu_);
    at_once_ = false;
  }
  // From now on, too, until Hold.
  void AnswerAll() {
    {
      absl::MutexLock lock(&mu_);
      at_once_ = true;
    }
    Answer();
  }
  std::uint64_t Requests() const { return server_->counts().requests; }

 private:
  static void Send(const test::Responder& responder) {
    responder.Send(test::JsonReply(200, R"({"status":"pass"})"));
  }
  absl::Mutex mu_;
  bool at_once_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<test::Responder> waiting_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<test::HttpServer> server_;
};

class CancelTest : public ServerFixture {
 protected:
  void SetUp() override {
    Start();
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings();
    request.mutable_connection()->mutable_odoo()->set_url(odoo_of_test_.Url());
    request.mutable_connection()->set_paused_polling(true);
    const auto created = Call(connections_, &Stub::CreateConnection, request);
    ASSERT_TRUE(created.ok()) << created.status.error_message();
    shop_ = created->connection().id();
  }
  SlowOdoo odoo_of_test_;
  std::int64_t shop_ = 0;
};

TEST_F(CancelTest, ATestEndsAtItsNextStep) {
  grpc::ClientContext context;
  Prepare(context, admin_);
  v1::TestConnectionRequest request;
  *request.mutable_connection() = Ref(shop_);
  v1::TestConnectionResponse response;
  grpc::Status status;
  std::thread caller([&] { status = connections_->TestConnection(&context, request, &response); });
  odoo_of_test_.WaitForOne();
  context.TryCancel();
  caller.join();
  EXPECT_EQ(status.error_code(), grpc::CANCELLED);
  // What is called on the same channel comes after the cancellation.
  for (int i = 0; i < 20; ++i) NewestSequence();
  odoo_of_test_.Answer();
  ASSERT_TRUE(Stop());  // waits for the handler
  EXPECT_EQ(odoo_of_test_.Requests(), 1u);
  EXPECT_EQ(receiver_.Summary().attempts, 0);
}

TEST_F(CancelTest, APollThatWaitsForItsTurnDoesNotBegin) {
  const auto poll = [this](grpc::ClientContext& context) {
    Prepare(context, admin_);
    v1::PollConnectionRequest request;
    *request.mutable_connection() = Ref(shop_);
    v1::PollConnectionResponse response;
    return connections_->PollConnection(&context, request, &response);
  };
  const auto whole_poll = [&poll] {
    grpc::ClientContext context;
    EXPECT_TRUE(poll(context).ok());
  };
  odoo_of_test_.AnswerAll();
  whole_poll();  // asks what the ones behind it know
  const std::uint64_t before_one = odoo_of_test_.Requests();
  whole_poll();
  const std::uint64_t before = odoo_of_test_.Requests();
  const std::uint64_t of_one = before - before_one;
  odoo_of_test_.Hold();
  std::thread first(whole_poll);
  odoo_of_test_.WaitForOne();
  grpc::ClientContext waiting;
  std::thread second([&] { EXPECT_EQ(poll(waiting).error_code(), grpc::CANCELLED); });
  for (int i = 0; i < 20; ++i) NewestSequence();  // the server has it by then
  waiting.TryCancel();
  second.join();
  for (int i = 0; i < 20; ++i) NewestSequence();
  odoo_of_test_.AnswerAll();
  first.join();
  whole_poll();  // comes after all that waited before it
  EXPECT_EQ(odoo_of_test_.Requests() - before, 2 * of_one);
}

TEST_F(CancelTest, ADeadlineEndsTheCallAndNotOnlyTheCaller) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + admin_);
  context.set_deadline(absl::ToChronoTime(SystemClock().Now() + absl::Milliseconds(200)));
  v1::TestConnectionRequest request;
  *request.mutable_connection() = Ref(shop_);
  v1::TestConnectionResponse response;
  EXPECT_EQ(connections_->TestConnection(&context, request, &response).error_code(),
            grpc::DEADLINE_EXCEEDED);
  odoo_of_test_.WaitForOne();
  for (int i = 0; i < 20; ++i) NewestSequence();
  odoo_of_test_.Answer();
  ASSERT_TRUE(Stop());
  EXPECT_EQ(odoo_of_test_.Requests(), 1u);
}

}  // namespace
}  // namespace poller
