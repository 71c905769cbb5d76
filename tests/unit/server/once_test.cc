#include "server/rpc/once.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <string>

#include "core/async/task_group.h"
#include "core/base/status.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/fake_requests.h"

namespace poller::rpc {
namespace {

using testing::Eq;
using testing::Optional;
using Known = absl::StatusOr<std::optional<std::string>>;

class OnceTest : public testing::Test {
 protected:
  Known Begin(const std::string& kind, const Actor& actor) {
    Known known = absl::UnknownError("did not end");
    tasks.Spawn(BeginInto(&once, kind, actor, &known));
    RunUntilIdle(io);
    return known;
  }
  void Finish(const std::string& kind, const Actor& actor, std::optional<std::string> answer) {
    tasks.Spawn(once.Finish(kind, actor, std::move(answer)));
    RunUntilIdle(io);
  }
  static Task<void> BeginInto(Once* once, std::string kind, Actor actor, Known* known) {
    *known = co_await once->Begin(std::move(kind), std::move(actor));
  }

  const Actor kActor{.token_name = "ops", .request_id = "r-1", .request_digest = "digest"};
  boost::asio::io_context io;
  FakeClock clock;
  FakeRequests requests;
  TaskGroup tasks{io.get_executor()};
  Once once{requests, clock, io.get_executor()};
};

TEST_F(OnceTest, GivesTheFirstAnswerAgain) {
  EXPECT_THAT(Begin("Send", kActor), IsOkAndHolds(Eq(std::nullopt)));
  Finish("Send", kActor, "answer");
  EXPECT_THAT(Begin("Send", kActor), IsOkAndHolds(Optional(std::string("answer"))));
  EXPECT_THAT(Begin("Send", kActor), IsOkAndHolds(Optional(std::string("answer"))));
}

TEST_F(OnceTest, RefusesARepeatWhileTheFirstRuns) {
  ASSERT_OK(Begin("Send", kActor));
  const auto second = Begin("Send", kActor);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Reason(second.status()), "REQUEST_RUNNING");
}

TEST_F(OnceTest, IdsOfOtherCallsAndTokensAreOthers) {
  ASSERT_OK(Begin("Send", kActor));
  Actor other = kActor;
  other.token = TokenId(2);
  EXPECT_THAT(Begin("Send", other), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Begin("Retry", kActor), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(OnceTest, ForgetsAFailure) {
  ASSERT_OK(Begin("Send", kActor));
  Finish("Send", kActor, std::nullopt);
  EXPECT_THAT(Begin("Send", kActor), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(OnceTest, AStoreThatFailsRefusesAndLocksNothing) {
  requests.failure = absl::UnavailableError("busy");
  EXPECT_THAT(Begin("Send", kActor), StatusIs(absl::StatusCode::kUnavailable));
  requests.failure = absl::OkStatus();
  ASSERT_OK(Begin("Send", kActor));
  requests.failure = absl::UnavailableError("busy");
  Finish("Send", kActor, "answer");
  requests.failure = absl::OkStatus();
  EXPECT_THAT(Begin("Send", kActor), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(CheckRequestIdTest, TakesAHundredPlainCharacters) {
  EXPECT_OK(CheckRequestId(std::string(100, 'x')));
  EXPECT_THAT(CheckRequestId(std::string(101, 'x')), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckRequestId("a\nb"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace poller::rpc
