// --watch: the same verb again and again.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RepeatTest : public ClientTest {
 protected:
  // The nth answer (from 1) comes from `answer`; after the last the user interrupts.
  void Answers(int last, std::function<grpc::Status(int, api::ListConnectionsResponse&)> answer) {
    server.connections.script_ListConnections.answer =
        [this, last, answer = std::move(answer), calls = std::make_shared<int>(0)](
            const auto&, api::ListConnectionsResponse& response) {
          if (++*calls > last) {
            interrupt.Press();
            return grpc::Status::OK;
          }
          return answer(*calls, response);
        };
  }
  static void AddShop(api::ListConnectionsResponse& response, std::int64_t id,
                      const std::string& name) {
    *response.add_connections() = Shop(id, name);
  }
};

TEST_F(RepeatTest, AppendsTablesUnderTheTimeWhenThereIsNoTerminal) {
  Answers(2, [](int n, auto& response) {
    AddShop(response, n, "shop" + std::to_string(n));
    return grpc::Status::OK;
  });
  const Result result = Run({"list", "--watch"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("-- 2027-01-15T08:00:00.000Z\nID"), HasSubstr("shop1"),
                                HasSubstr("shop2"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(interrupt.waited, absl::Seconds(4));  // twice the 2 s that are the default
}

TEST_F(RepeatTest, TheFlagSaysHowOften) {
  Answers(1, [](int, auto&) { return grpc::Status::OK; });
  EXPECT_EQ(Run({"list", "--watch=5s"}).code, 0);
  EXPECT_EQ(interrupt.waited, absl::Seconds(5));
  EXPECT_EQ(Run({"list", "--watch=1"}).code, 2);
  EXPECT_EQ(Run({"list", "--watch=1ms"}).code, 2);
}

TEST_F(RepeatTest, JsonLinesShowOnlyWhatIsNew) {
  Answers(3, [](int n, auto& response) {
    AddShop(response, 1, "same");
    AddShop(response, 2, n < 3 ? "before" : "after");
    return grpc::Status::OK;
  });
  const std::string out = Run({"list", "--watch", "-o", "jsonl"}).out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3);  // same, before; then after
  EXPECT_THAT(out, HasSubstr("after"));
}

TEST_F(RepeatTest, JsonIsADocumentARefresh) {
  Answers(2, [](int, auto& response) {
    AddShop(response, 1, "same");
    return grpc::Status::OK;
  });
  const std::string out = Run({"list", "--watch", "-o", "json"}).out;
  const std::size_t first = out.find("\"connections\"");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(out.find("\"connections\"", first + 1), std::string::npos);
}

TEST_F(RepeatTest, SaysThatTheServerIsAwayAndGoesOn) {
  Answers(4, [](int n, auto& response) {
    if (n == 2 || n == 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
    AddShop(response, n, "shop" + std::to_string(n));
    return grpc::Status::OK;
  });
  const Result result = Run({"list", "--watch"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("shop4"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("cannot reach a server"), HasSubstr("trying again"),
                                HasSubstr("the server answers again")));
  // Once, not at every attempt.
  EXPECT_EQ(result.err.find("trying again"), result.err.rfind("trying again"));
}

TEST_F(RepeatTest, AnErrorOfTheFirstAnswerEndsItAsWithoutTheFlag) {
  EXPECT_EQ(Run({"list", "--watch", "--server", "127.0.0.1:1"}).code, 5);
  server.connections.script_ListConnections.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::UNAUTHENTICATED, "no token", "TOKEN_MISSING");
  };
  EXPECT_EQ(Run({"list", "--watch"}).code, 4);
}

TEST_F(RepeatTest, WhatNoRepetitionMendsEndsItLaterToo) {
  Answers(5, [](int n, auto&) {
    return n == 1 ? grpc::Status::OK
                  : ServerError(grpc::StatusCode::UNAUTHENTICATED, "revoked", "TOKEN_INVALID");
  });
  const Result result = Run({"list", "--watch"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("revoked"));
}

TEST_F(RepeatTest, AnInterruptDoesNotWaitForTheServer) {
  // Shared: the server's thread may still be in it when the test is over.
  const auto release = std::make_shared<absl::Notification>();
  server.connections.script_ListConnections.answer = [this, release](const auto&, auto&) {
    interrupt.Press();
    release->WaitForNotification();
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"list", "--watch"}).code, 0);
  release->Notify();
}

TEST_F(RepeatTest, OnATerminalTheWindowShowsItAndTheLastOneStays) {
  Answers(1000, [](int, auto& response) {
    AddShop(response, 1, "shop1");
    return grpc::Status::OK;
  });
  ScreenScript script;
  script.keys = {ScreenScript::kUntilWoken, 'x'};  // then q
  terminal.screen = &script;
  const Result result = Run({"list", "--watch=1h"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(script.Last(),
              AllOf(HasSubstr("every 1h"), HasSubstr("q: quit"), HasSubstr("shop1")));
  EXPECT_THAT(result.out, AllOf(HasSubstr("shop1"), Not(HasSubstr("every"))));
}

TEST_F(RepeatTest, TheWindowSaysHowManyLinesDoNotFit) {
  Answers(1000, [](int, auto& response) {
    for (int i = 1; i <= 30; ++i) AddShop(response, i, "shop" + std::to_string(i));
    return grpc::Status::OK;
  });
  ScreenScript script;
  script.height = 10;
  script.keys = {ScreenScript::kUntilWoken};
  terminal.screen = &script;
  Run({"list", "--watch=1h"});
  EXPECT_EQ(script.frames.back().size(), 10U);
  EXPECT_THAT(script.frames.back().back(), HasSubstr("… 24 more lines"));  // of 31
}

TEST_F(RepeatTest, OnlyTablesTakeTheWindow) {
  Answers(1, [](int, auto&) { return grpc::Status::OK; });
  ScreenScript script;
  terminal.screen = &script;
  Run({"list", "--watch", "-o", "json"});
  EXPECT_THAT(script.frames, IsEmpty());
}

TEST_F(RepeatTest, TheVerbsWhoseTablesChangeHaveIt) {
  for (const char* verb : {"status", "list", "retries", "jobs"})
    EXPECT_THAT(Run({verb, "--help"}).out, HasSubstr("--watch[=2s]")) << verb;
}

}  // namespace
}  // namespace poller::client
