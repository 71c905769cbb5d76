#include "server/rpc/gate.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "odoopoller/v1/job_service.pb.h"
#include "server/rpc/unary.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/fake_requests.h"
#include "tests/unit/server/fake_tokens.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
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
  std::shared_ptr<CallState> Ask(const std::string& token, std::size_t request_bytes = 0) {
    auto state = std::make_shared<CallState>();
    Caller caller("Bearer " + token, "ipv4:10.0.0.7:1000", request_bytes);
    tasks.Spawn(AdmitInto(&gate, std::move(caller), state, &answers));
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

TEST_F(GateTest, ALargeRequestIsNotKeptWhileItsRefusalWaits) {
  Guess(WrongTokens::kFree);
  Ask("wrong", 4 << 20);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(Reason(answers[0].status()), "TOKEN_INVALID");
}

TEST_F(GateTest, AFewRefusalsWaitAndTheRestDoNot) {
  Guess(WrongTokens::kFree);
  for (int i = 0; i < 100; ++i) Ask("wrong");
  EXPECT_THAT(answers, SizeIs(36));
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

// gRPC's side, and a service.
struct FakeReactor {
  const std::shared_ptr<CallState>& state() const { return call_state; }
  std::optional<v1::GetJobRequest> CopyRequest() {
    ++copies;
    return v1::GetJobRequest();
  }
  void End(const absl::StatusOr<v1::GetJobResponse>& result) {
    status = result.status();
    if (on_end) on_end();
  }
  std::shared_ptr<CallState> call_state = std::make_shared<CallState>();
  std::function<void()> on_end;
  int copies = 0;
  absl::Status status = absl::UnknownError("did not end");
};
struct FakeJobs {
  Task<absl::StatusOr<v1::GetJobResponse>> Get(Call, v1::GetJobRequest) {
    co_return v1::GetJobResponse();
  }
};

class RunUnaryTest : public GateTest {
 protected:
  void Run(const std::string& token) {
    tasks.Spawn(RunUnary<Repeat::kByHandler, v1::GetJobRequest, v1::GetJobResponse>(
        &gate, reactor, Caller("Bearer " + token, "unix:"), &jobs, &FakeJobs::Get));
    RunUntilIdle(io);
  }
  const std::shared_ptr<FakeReactor> reactor = std::make_shared<FakeReactor>();
  FakeJobs jobs;
};

TEST_F(RunUnaryTest, TheRequestOfAStrangerIsNotCopied) {
  Run("wrong");
  EXPECT_EQ(Reason(reactor->status), "TOKEN_INVALID");
  EXPECT_EQ(reactor->copies, 0);
}

TEST_F(RunUnaryTest, WhoHasItsAnswerMayCallAgain) {
  reactor->on_end = [this] {
    Ask("good");
    Ask("good");
  };
  Run("good");
  EXPECT_OK(reactor->status);
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_OK(answers[0].status());
  EXPECT_OK(answers[1].status());
}

}  // namespace
}  // namespace poller::rpc
