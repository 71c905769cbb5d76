// What the shells are told.
#include "client/completion.h"

#include <sstream>
#include <string>
#include <vector>

#include "client/commands/completion_scripts.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CompletionTest : public ClientTest {
 protected:
  // The values for the last of `words`, with ":files" if files are welcome.
  std::vector<std::string> Offered(std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    const Result result = Run(words);
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, IsEmpty());
    std::vector<std::string> values;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);)
      values.push_back(line.substr(0, line.find('\t')));
    return values;
  }
};

TEST_F(CompletionTest, OffersEveryVerbOfTheHelp) {
  const std::vector<std::string> verbs = Offered({""});
  std::istringstream help(Run({"--help"}).out);
  int seen = 0;
  bool commands = false;
  for (std::string line; std::getline(help, line);) {
    // The groups of verbs stand behind the flags.
    if (line == "Shops:") commands = true;
    if (!commands || !line.starts_with("  ") || line[2] == ' ') continue;
    const std::string verb = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_THAT(verbs, Contains(verb));
    ++seen;
  }
  EXPECT_EQ(static_cast<std::size_t>(seen), verbs.size());
  EXPECT_THAT(verbs, AllOf(Contains("retries"), Contains("top"), Not(Contains("__complete"))));
}

TEST_F(CompletionTest, OffersWhatBeginsAsTyped) {
  EXPECT_THAT(Offered({"retr"}), ElementsAre("retries", "retry"));
  EXPECT_THAT(Offered({"xyz"}), IsEmpty());
}

TEST_F(CompletionTest, OffersVerbsBelowAVerb) {
  EXPECT_THAT(Offered({"jobs", ""}), ElementsAre("list", "show", "watch", "cancel"));
  EXPECT_THAT(Offered({"context", "us"}), ElementsAre("use"));
}

TEST_F(CompletionTest, OffersFlagsOfTheVerbAndOfAllVerbsOnce) {
  const auto flags = Offered({"retry", "--all", "--"});
  EXPECT_THAT(flags, AllOf(Contains("--dry-run"), Contains("--server"), Contains("--help"),
                           Not(Contains("--all")), Not(Contains("--polling"))));
  EXPECT_EQ(std::count(flags.begin(), flags.end(), "--help"), 1);
}

TEST_F(CompletionTest, OffersListedValues) {
  EXPECT_THAT(Offered({"list", "-o", ""}), ElementsAre("table", "json", "jsonl"));
  EXPECT_THAT(Offered({"list", "--output=js"}), ElementsAre("--output=json", "--output=jsonl"));
  EXPECT_THAT(Offered({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Offered({"add", "--start-from", ""}), ElementsAre("now", "beginning"));
  EXPECT_THAT(Offered({"events", "--type", "delivery-f"}), Contains("delivery-failed"));
}

TEST_F(CompletionTest, OffersFilesWhereAFileIsNamed) {
  EXPECT_THAT(Offered({"--ca", ""}), ElementsAre(":files"));
  EXPECT_THAT(Offered({"add", "--api-key-file", ""}), ElementsAre(":files"));
}

TEST_F(CompletionTest, OffersNamesOfConnections) {
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    *response.add_connections() = Shop(2, "shop two");
    *response.add_connections() = Shop(3, "evil\nname");
    return grpc::Status::OK;
  };
  EXPECT_THAT(Offered({"show", ""}), ElementsAre("shop1", "shop two"));
  EXPECT_THAT(Offered({"retries", "-c", "shop1"}), ElementsAre("shop1"));
  EXPECT_THAT(Offered({"show", "shop1", ""}), IsEmpty());
  // The receiver's own id is none of ours.
  EXPECT_THAT(Offered({"add", "--connection-id", ""}), IsEmpty());
}

TEST_F(CompletionTest, AsksTheServerThatWasTyped) {
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    return grpc::Status::OK;
  };
  environment["POLLERCTL_SERVER"] = "127.0.0.1:1";
  EXPECT_THAT(Offered({"show", ""}), IsEmpty());
  EXPECT_THAT(Offered({"--server", server.address(), "show", ""}), ElementsAre("shop1"));
}

TEST_F(CompletionTest, IsSilentWhenTheServerFails) {
  EXPECT_THAT(Offered({"show", ""}), IsEmpty());
  environment["POLLERCTL_TOKEN_FILE"] = "/not/there";
  EXPECT_THAT(Offered({"show", ""}), IsEmpty());
}

TEST_F(CompletionTest, OffersJobsDeliveriesAndOrders) {
  server.jobs.script_ListJobs.answer = [](const auto&, api::ListJobsResponse& response) {
    response.add_jobs()->set_id(7);
    return grpc::Status::OK;
  };
  server.retries.script_ListRetries.answer = [](const auto&, api::ListRetriesResponse& response) {
    response.add_deliveries()->set_id(17);
    return grpc::Status::OK;
  };
  server.orders.script_ListOrders.answer = [](const auto&, api::ListOrdersResponse& response) {
    response.add_orders()->set_name("S00042");
    return grpc::Status::OK;
  };
  EXPECT_THAT(Offered({"jobs", "watch", ""}), ElementsAre("7"));
  EXPECT_THAT(Offered({"retry", ""}), ElementsAre("17"));
  EXPECT_THAT(Offered({"order", "S"}), ElementsAre("S00042"));
}

TEST_F(CompletionTest, BehindTwoDashesNothingIsAFlag) {
  EXPECT_THAT(Offered({"show", "--", "--"}), IsEmpty());
}

TEST_F(CompletionTest, PrintsAScriptForEachShellAndRefusesOthers) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(Run({"completion", shell}).out, HasSubstr("__complete")) << shell;
  EXPECT_EQ(Run({"completion", "tcsh"}).code, 2);
  EXPECT_EQ(Run({"completion"}).code, 2);
}

}  // namespace
}  // namespace poller::client
