#include "server/rpc/token_calls.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "odoopoller/v1/job_service.pb.h"
#include "server/rpc/call.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

constexpr TokenId kOne(1), kOther(2);

class TokenCallsTest : public testing::Test {
 protected:
  TokenCalls calls{{.calls = 2, .streams = 1}};
  const std::shared_ptr<CallState> state = std::make_shared<CallState>();
};

TEST_F(TokenCallsTest, OneTokenHasItsLimitAndCostsOthersNothing) {
  auto first = calls.EnterCall(kOne);
  const auto second = calls.EnterCall(kOne);
  ASSERT_OK(second.status());
  const auto third = calls.EnterCall(kOne);
  EXPECT_THAT(third, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(Reason(third.status()), "TOO_MANY_CALLS");
  EXPECT_EQ(Metadata(third.status()).at("limit"), "2");
  EXPECT_OK(calls.EnterCall(kOther).status());
  first->reset();
  EXPECT_OK(calls.EnterCall(kOne).status());
}

TEST_F(TokenCallsTest, StreamsAreCountedApart) {
  auto stream = calls.EnterStream(kOne, state);
  ASSERT_OK(stream.status());
  const auto another = std::make_shared<CallState>();
  EXPECT_EQ(Reason(calls.EnterStream(kOne, another).status()), "TOO_MANY_STREAMS");
  EXPECT_OK(calls.EnterCall(kOne).status());
  stream->reset();
  EXPECT_OK(calls.EnterStream(kOne, another).status());
}

TEST_F(TokenCallsTest, APlaceIsGivenUpWithTheLastCopyOfItsCall) {
  std::optional<Call> call(Call(state, Token(), *calls.EnterStream(kOne, state)));
  std::optional<Call> copy = call;
  call.reset();
  EXPECT_FALSE(calls.EnterStream(kOne, state).ok());
  copy.reset();
  EXPECT_OK(calls.EnterStream(kOne, state).status());
}

TEST_F(TokenCallsTest, APlaceMayOutliveTheTable) {
  auto table = std::make_unique<TokenCalls>(TokenCalls::Limits());
  const auto place = table->EnterCall(kOne);
  table.reset();
  EXPECT_OK(place.status());
}

TEST_F(TokenCallsTest, EndsTheStreamsOfATokenAndOfNoOther) {
  const auto other = std::make_shared<CallState>();
  const auto mine = calls.EnterStream(kOne, state);
  const auto theirs = calls.EnterStream(kOther, other);
  int told = 0;
  state->OnCancel([&told] { ++told; });
  calls.EndStreams(kOne, absl::UnauthenticatedError("revoked"));
  EXPECT_THAT(state->End(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(told, 1);
  EXPECT_OK(other->End());
}

TEST(CallTest, ARequestIsAnotherOneUnderAnotherTokenOfTheSameName) {
  v1::CancelJobRequest request;
  request.set_request_id("r-1");
  Token first, second;
  first.id = kOne;
  second.id = kOther;
  first.name = second.name = "ops";
  const auto digest = [&request](const Token& token) {
    return Call(std::make_shared<CallState>(), token).ActorFor(request).request_digest;
  };
  EXPECT_EQ(digest(first), digest(first));
  EXPECT_NE(digest(first), digest(second));
}

TEST(CallStateTest, CutsWhatIsUnderWayBeforeTheHandlerLearnsIt) {
  std::string told;
  CallState state([&told] { told += "cut "; });
  state.OnCancel([&told] { told += "told "; });
  state.EndWith(absl::UnauthenticatedError("revoked"));
  state.Cancel();
  EXPECT_EQ(told, "cut told ");
}

TEST(CallStateTest, TheFirstEndCounts) {
  CallState state;
  state.EndWith(absl::UnauthenticatedError("revoked"));
  state.Cancel();
  EXPECT_THAT(state.End(), StatusIs(absl::StatusCode::kUnauthenticated));
  bool told = false;
  state.OnCancel([&told] { told = true; });
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace poller::rpc
