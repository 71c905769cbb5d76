// Exit codes, errors, help and the shape of output.
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "client/channel.h"
#include "client/suggest.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CommandLineTest : public ClientTest {
 protected:
  void GetAnswers(const grpc::Status& status) {
    server.connections.script_GetConnection.answer = [status](const auto&, auto&) {
      return status;
    };
  }
};

TEST_F(CommandLineTest, ExitCodeTellsWhatTheServerSaid) {
  GetAnswers(ServerError(grpc::StatusCode::NOT_FOUND, "no connection 7", "CONNECTION_NOT_FOUND"));
  EXPECT_EQ(Run({"show", "7"}).code, 3);
  GetAnswers(ServerError(grpc::StatusCode::UNAUTHENTICATED, "no token", "TOKEN_MISSING"));
  EXPECT_EQ(Run({"show", "7"}).code, 4);
  GetAnswers(ServerError(grpc::StatusCode::PERMISSION_DENIED, "viewer", "ROLE_TOO_LOW"));
  EXPECT_EQ(Run({"show", "7"}).code, 4);
  GetAnswers(ServerError(grpc::StatusCode::UNAVAILABLE, "disk full", "STORAGE_BUSY"));
  EXPECT_EQ(Run({"show", "7"}).code, 1);
  GetAnswers(ServerError(grpc::StatusCode::INTERNAL, "bug", "INTERNAL"));
  EXPECT_EQ(Run({"show", "7"}).code, 1);
  GetAnswers(grpc::Status::OK);
  EXPECT_EQ(Run({"show", "7"}).code, 0);
}

TEST_F(CommandLineTest, WrongUsageIsTwo) {
  EXPECT_EQ(Run({}).code, 2);
  EXPECT_EQ(Run({"show"}).code, 2);
  EXPECT_EQ(Run({"show", "1", "--nonsense"}).code, 2);
  EXPECT_EQ(Run({"list", "-o", "yaml"}).code, 2);
  EXPECT_EQ(Run({"list", "--timeout", "5"}).code, 2);
  EXPECT_EQ(Run({"list", "--token-file", "/does/not/exist"}).code, 2);
  EXPECT_EQ(Run({"retry", "zero"}).code, 2);
}

TEST_F(CommandLineTest, NoServerIsFiveAndSaysWhereAndHowToStartOne) {
  // Nobody listens on port 1 of loopback.
  const Result result = Run({"list", "--server", "127.0.0.1:1"});
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("pollerd"), HasSubstr("--server")));
}

TEST_F(CommandLineTest, ASlowServerIsNotAnUnreachableOne) {
  // Shared: the server's thread may still be in it when the test is over.
  const auto release = std::make_shared<absl::Notification>();
  server.connections.script_GetConnection.answer = [release](const auto&, auto&) {
    release->WaitForNotification();
    return grpc::Status::OK;
  };
  const Result result = Run({"show", "7", "--timeout", "200ms"});
  release->Notify();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("--timeout"));
}

TEST_F(CommandLineTest, ShowsEachWrongFieldAsItsFlag) {
  server.connections.script_CreateConnection.answer = [](const auto&, auto&) {
    return ServerError(
        grpc::StatusCode::INVALID_ARGUMENT, "2 fields are wrong", "INVALID_FIELDS",
        {{"connection.odoo.url", "needs a scheme"}, {"interval", "must be between 5s and 24h"}});
  };
  const Result result =
      Run({"add", "--name", "shop1", "--url", "https://a.example", "--database", "d", "--username",
           "u", "--api-key-file", WriteFile("key", "k"), "--webhook-url", "https://b.example",
           "--webhook-secret-file", WriteFile("secret", "s")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("\n  --url: needs a scheme\n"));
  EXPECT_THAT(result.err, HasSubstr("\n  --interval: must be between 5s and 24h\n"));
}

TEST_F(CommandLineTest, SaysWhatToDoAboutAMissingToken) {
  GetAnswers(ServerError(grpc::StatusCode::UNAUTHENTICATED, "no token", "TOKEN_MISSING"));
  EXPECT_THAT(Run({"show", "1"}).err, HasSubstr("--token-file"));
}

TEST_F(CommandLineTest, SendsTheTokenOfTheFile) {
  GetAnswers(grpc::Status::OK);
  EXPECT_EQ(Run({"show", "1", "--token-file", WriteFile("token", "abc\n")}).code, 0);
  EXPECT_EQ(server.connections.script_GetConnection.authorization, "Bearer abc");
  environment["POLLERCTL_TOKEN_FILE"] = WriteFile("other", "def");
  EXPECT_EQ(Run({"show", "1"}).code, 0);
  EXPECT_EQ(server.connections.script_GetConnection.authorization, "Bearer def");
}

TEST_F(CommandLineTest, DigitsAreANumberAndAllElseAName) {
  GetAnswers(grpc::Status::OK);
  Run({"show", "17"});
  Run({"show", "17b"});
  const auto& requests = server.connections.script_GetConnection.requests;
  EXPECT_EQ(requests.at(0).connection().id(), 17);
  EXPECT_EQ(requests.at(1).connection().name(), "17b");
}

TEST_F(CommandLineTest, SuggestsTheVerbThatWasMeant) {
  EXPECT_THAT(Run({"lsit"}).err, HasSubstr("pollerctl list"));
  EXPECT_THAT(Run({"rm", "3"}).err, HasSubstr("pollerctl delete"));
  EXPECT_THAT(Run({"qwertyuiop"}).err, HasSubstr("--help"));
  EXPECT_EQ(Run({"lsit"}).code, 2);
}

TEST_F(CommandLineTest, SuggestsTheFlagThatWasMeant) {
  const Result result = Run({"retry", "--all", "--dryrun"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("pollerctl retry has no flag --dryrun"),
                                HasSubstr("did you mean --dry-run?")));
  EXPECT_THAT(Run({"list", "--sever", "x"}).err, HasSubstr("did you mean --server?"));
  EXPECT_THAT(Run({"list", "-server", "x"}).err, HasSubstr("did you mean --server?"));
}

TEST_F(CommandLineTest, SuggestsTheVerbBelowAVerb) {
  const Result result = Run({"jobs", "wacth", "7"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("pollerctl jobs has no verb \"wacth\""),
                                HasSubstr("did you mean watch?")));
}

TEST_F(CommandLineTest, AWordTooMuchIsNamed) {
  const Result result = Run({"show", "1", "2"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("pollerctl show does not take \"2\""));
}

TEST_F(CommandLineTest, SuggestsConnectionsWithNearNames) {
  GetAnswers(ServerError(grpc::StatusCode::NOT_FOUND, "there is no connection named \"shpo1\"",
                         "CONNECTION_NOT_FOUND"));
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    *response.add_connections() = Shop(2, "warehouse");
    return grpc::Status::OK;
  };
  const Result result = Run({"show", "shpo1"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("did you mean shop1?"), Not(HasSubstr("warehouse"))));
  EXPECT_THAT(Run({"show", "nothing-like-it"}).err, Not(HasSubstr("did you mean")));
}

TEST_F(CommandLineTest, SuggestsConnectionsForTheFlagToo) {
  server.retries.script_ListRetries.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::NOT_FOUND, "none", "CONNECTION_NOT_FOUND");
  };
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"retries", "-c", "shop"}).err, HasSubstr("did you mean shop1?"));
}

TEST_F(CommandLineTest, SuggestsOrdersWithNearNames) {
  server.orders.script_ListOrders.answer = [](const api::ListOrdersRequest& request,
                                              api::ListOrdersResponse& response) {
    if (request.name_prefix() != "S0004") return grpc::Status::OK;
    for (const char* name : {"S00042", "S00049"}) response.add_orders()->set_name(name);
    return grpc::Status::OK;
  };
  const Result result = Run({"order", "S000422"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("did you mean S00042"));
}

TEST_F(CommandLineTest, VersionTellsWhenClientAndServerDiffer) {
  server.admin.script_GetServerStatus.answer = [](const auto&,
                                                  api::GetServerStatusResponse& response) {
    response.set_version("9.9.9\"");
    return grpc::Status::OK;
  };
  const Result result = Run({"version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("pollerd   9.9.9"));
  EXPECT_THAT(result.err, HasSubstr("the versions differ"));
  EXPECT_THAT(Run({"version", "-o", "json"}).out, HasSubstr(R"("server":"9.9.9\"")"));
  EXPECT_THAT(Run({"version", "--server", "127.0.0.1:1"}).err, IsEmpty());
}

TEST_F(CommandLineTest, HelpBeginsWithExamples) {
  const Result result = Run({"send", "--help"});
  EXPECT_EQ(result.code, 0);
  EXPECT_LT(result.out.find("Examples:"), result.out.find("Usage:"));
  EXPECT_THAT(result.out, HasSubstr("pollerctl send -c shop1 --last 5"));
  EXPECT_EQ(Run({"help", "send"}).out, result.out);
}

TEST_F(CommandLineTest, EveryVerbHasExamplesInItsHelp) {
  for (const char* verb :
       {"add",    "list",  "show",   "edit",    "delete", "pause",   "resume",    "test",
        "poll",   "logs",  "events", "retries", "retry",  "discard", "send",      "reset-circuit",
        "orders", "order", "status", "version", "top",    "context", "completion"}) {
    EXPECT_THAT(Run({verb, "--help"}).out, HasSubstr("Examples:\n  pollerctl ")) << verb;
    EXPECT_THAT(Run({"--help"}).out, HasSubstr(std::string("\n  ") + verb + " ")) << verb;
  }
}

TEST_F(CommandLineTest, JsonIsTheWholeAnswerWithDefaults) {
  server.connections.script_GetConnection.answer = [](const auto&,
                                                      api::GetConnectionResponse& response) {
    *response.mutable_connection() = Shop(9'007'199'254'740'993, "shop1");
    return grpc::Status::OK;
  };
  const Result result = Run({"show", "shop1", "-o", "json"});
  EXPECT_THAT(result.out, HasSubstr("\"id\": \"9007199254740993\""));
  EXPECT_THAT(result.out, HasSubstr("\"sendCancelled\": false"));
  EXPECT_THAT(result.out, HasSubstr("\"hasApiKey\": true"));
  EXPECT_THAT(result.out, HasSubstr("\"interval\": \"60s\""));
  api::GetConnectionResponse back;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(result.out, &back).ok());
}

TEST_F(CommandLineTest, ListsAreOneDocumentOrOneMessageALine) {
  // Two pages, so that they must be joined.
  server.connections.script_ListConnections.answer = [](const api::ListConnectionsRequest& request,
                                                        api::ListConnectionsResponse& response) {
    if (request.page_token().empty()) {
      *response.add_connections() = Shop(1, "shop1");
      response.set_next_page_token("more");
    } else {
      *response.add_connections() = Shop(2, "shop2");
    }
    return grpc::Status::OK;
  };
  api::ListConnectionsResponse whole;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(Run({"list", "-o", "json"}).out, &whole).ok());
  EXPECT_EQ(whole.connections_size(), 2);
  EXPECT_EQ(whole.next_page_token(), "");
  const std::string lines = Run({"-o", "jsonl", "list"}).out;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, AllOf(StartsWith("{\"id\":\"1\""), HasSubstr("\n{\"id\":\"2\"")));
}

TEST_F(CommandLineTest, TextFromTheServerCannotDriveTheTerminal) {
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "evil\x1b[2Jname\xe2\x80\xae");
    return grpc::Status::OK;
  };
  const Result list = Run({"list"});
  EXPECT_THAT(list.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(list.out, Not(HasSubstr("\xe2\x80\xae")));
  GetAnswers(ServerError(grpc::StatusCode::INTERNAL, "bad\x1b[31m", "INTERNAL"));
  EXPECT_THAT(Run({"show", "1"}).err, Not(HasSubstr("\x1b")));
}

TEST_F(CommandLineTest, ColourOnlyOnATerminalWithoutNoColor) {
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"list"}).out, Not(HasSubstr("\x1b[")));
  terminal.output = true;
  EXPECT_THAT(Run({"list"}).out, HasSubstr("\x1b[32mhealthy\x1b[0m"));
  environment["NO_COLOR"] = "1";
  EXPECT_THAT(Run({"list"}).out, Not(HasSubstr("\x1b[")));
}

TEST_F(CommandLineTest, AnEmptyListSaysSoOnStandardError) {
  server.connections.script_ListConnections.answer = [](const auto&, auto&) {
    return grpc::Status::OK;
  };
  const Result result = Run({"list"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("pollerctl add"));
}

TEST(TargetTest, TakesWhatPeopleType) {
  EXPECT_EQ(ParseTarget("localhost")->address, "localhost:50051");
  EXPECT_TRUE(ParseTarget("localhost")->local);
  EXPECT_TRUE(ParseTarget("127.0.0.2:9")->local);
  EXPECT_TRUE(ParseTarget("[::1]:9")->local);
  EXPECT_EQ(ParseTarget("2001:db8::1")->address, "[2001:db8::1]:50051");
  EXPECT_TRUE(ParseTarget("unix:/run/pollerd.sock")->local);
  EXPECT_FALSE(ParseTarget("10.0.0.5:50051")->local);
  EXPECT_FALSE(ParseTarget("127.evil.example")->local);
}

TEST(TargetTest, RefusesWhatIsNoAddress) {
  for (const char* bad :
       {"", ":50051", "http://a:1", "a:0", "a:70000", "a:b", "[::1", "[::1]x", "unix:", "a b:1"}) {
    EXPECT_EQ(ParseTarget(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(ChannelTest, TlsFilesMustBeReadableAndComplete) {
  ChannelOptions options;
  options.ca_file = "/does/not/exist";
  EXPECT_EQ(MakeChannel(options).status().code(), absl::StatusCode::kNotFound);
  options = {};
  options.cert_file = "/only/this";
  EXPECT_EQ(MakeChannel(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = {};
  options.insecure = true;
  options.ca_file = "/x";
  EXPECT_EQ(MakeChannel(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(EditDistanceTest, CountsASwapAsOne) {
  EXPECT_EQ(EditDistance("lsit", "list"), 1U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("poll", "poll"), 0U);
}

}  // namespace
}  // namespace poller::client
