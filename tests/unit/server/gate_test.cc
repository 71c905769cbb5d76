#include "server/rpc/gate.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/fake_requests.h"
#include "tests/unit/server/fake_tokens.h"

namespace poller::rpc {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class GateTest : public testing::Test {
 protected:
  GateTest() {
    CryptoInit();
    Token token;
    token.id = TokenId(7);
    token.name = "ops";
    token.role = Role::kOperator;
    tokens.tokens["good"] = token;
    gate.Open();
  }
  ~GateTest() override {
    gate.Close();
    RunUntilIdle(io);
  }

  // A call whose answer is in `answers` when it has one.
  std::shared_ptr<CallState> Ask(const std::string& token,
                                 const std::string& peer = "ipv4:10.0.0.7:1000") {
    auto state = std::make_shared<CallState>();
    tasks.Spawn(AdmitInto(&gate, {"Bearer " + token, peer}, state, &answers));
    RunUntilIdle(io);
    return state;
  }
  static Task<void> AdmitInto(Gate* gate, Caller caller, std::shared_ptr<CallState> state,
                              std::vector<absl::StatusOr<Call>>* answers) {
    static const Access access{"Service.Method", Role::kViewer, false};
    auto call = co_await gate->Admit(access, std::move(caller), std::move(state));
    answers->push_back(std::move(call));
  }
  void Guess(int times) {
    for (int i = 0; i < times; ++i) Ask("wrong");
    answers.clear();
  }

  boost::asio::io_context io;
  FakeClock clock;
  FakeSleeper sleeper{clock, &io};
  FakeTokens tokens;
  FakeRequests requests;
  TaskGroup tasks{io.get_executor()};
  Authenticator authenticator{tokens, clock, SystemRandom()};
  Once once{requests, clock, io.get_executor()};
  Gate gate{authenticator,
            once,
            sleeper,
            clock,
            tasks,
            tasks,
            io.get_executor(),
            NullLogger(),
            {.calls = 2, .streams = 2},
            absl::Seconds(5)};
  std::vector<absl::StatusOr<Call>> answers;
};

TEST_F(GateTest, ATypoIsRefusedAtOnce) {
  Ask("wrong");
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(Reason(answers[0].status()), "TOKEN_INVALID");
}

TEST_F(GateTest, WhoGuessesWaits) {
  Guess(WrongTokens::kFree);
  Ask("wrong");
  EXPECT_THAT(answers, IsEmpty());
  sleeper.Advance(WrongTokens::kFirstWait);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(answers[0], StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GateTest, AValidTokenFromTheSameAddressDoesNotWait) {
  Guess(WrongTokens::kFree);
  Ask("wrong");
  Ask("good");
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_OK(answers[0].status());
}

TEST_F(GateTest, WhoHangsUpIsNotKept) {
  Guess(WrongTokens::kFree);
  const auto state = Ask("wrong");
  state->Cancel();
  RunUntilIdle(io);
  EXPECT_THAT(answers, SizeIs(1));
}

TEST_F(GateTest, AStopWaitsForNoRefusal) {
  Guess(WrongTokens::kFree);
  Ask("wrong");
  gate.Close();
  RunUntilIdle(io);
  EXPECT_THAT(answers, SizeIs(1));
  EXPECT_EQ(tasks.Running(), 0);
}

TEST_F(GateTest, NoMoreCallsThanATokenMayHave) {
  Ask("good");
  Ask("good");
  Ask("good");
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(Reason(answers[2].status()), "TOO_MANY_CALLS");
  answers.clear();
  Ask("good");
  EXPECT_OK(answers[0].status());
}

TEST_F(GateTest, NotesTheUseBesideTheCall) {
  Ask("good");
  Ask("good");
  EXPECT_THAT(tokens.uses, SizeIs(1));
}

TEST_F(GateTest, ARevokedTokenIsAskedForAgain) {
  Ask("good");
  tokens.tokens.clear();
  gate.Revoked(TokenId(7));
  Ask("good");
  EXPECT_EQ(Reason(answers[1].status()), "TOKEN_INVALID");
}

}  // namespace
}  // namespace poller::rpc
