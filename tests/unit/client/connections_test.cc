// add, edit, delete and the verbs that operate a connection.
#include <string>

#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class ConnectionsTest : public ClientTest {
 protected:
  ConnectionsTest() {
    server.connections.script_CreateConnection.answer =
        [](const api::CreateConnectionRequest& request, api::CreateConnectionResponse& response) {
          *response.mutable_connection() = request.connection();
          response.mutable_connection()->set_id(3);
          return grpc::Status::OK;
        };
    server.connections.script_GetConnection.answer = [this](const auto&,
                                                            api::GetConnectionResponse& response) {
      *response.mutable_connection() = shop;
      return grpc::Status::OK;
    };
    server.connections.script_UpdateConnection.answer =
        [](const api::UpdateConnectionRequest& request, api::UpdateConnectionResponse& response) {
          *response.mutable_connection() = request.connection();
          return grpc::Status::OK;
        };
    server.connections.script_ListConnections.answer = [](const auto&, auto&) {
      return grpc::Status::OK;
    };
    server.connections.script_DeleteConnection.answer = [](const auto&, auto&) {
      return grpc::Status::OK;
    };
  }

  const api::Connection& Created() {
    return server.connections.script_CreateConnection.requests.back().connection();
  }
  const api::UpdateConnectionRequest& Updated() {
    return server.connections.script_UpdateConnection.requests.back();
  }
  std::vector<std::string> UpdatedFields() {
    return {Updated().update_mask().paths().begin(), Updated().update_mask().paths().end()};
  }

  api::Connection shop = Shop(3, "shop1");
};

TEST_F(ConnectionsTest, AddTakesEverythingFromFlagsAndSecretsFromFiles) {
  const Result result = Run({"add",
                             "--name",
                             "shop1",
                             "--connection-id",
                             "conn-1",
                             "--url",
                             "https://odoo.example",
                             "--database",
                             "db",
                             "--username",
                             "bot",
                             "--api-key-file",
                             WriteFile("key", "the-key\n"),
                             "--webhook-url",
                             "https://r.example/h",
                             "--webhook-secret-file",
                             WriteFile("secret", "whsec_abc\r\n"),
                             "--interval",
                             "2m",
                             "--start-from",
                             "last:5",
                             "--protocol",
                             "jsonrpc",
                             "--legacy-secret-header",
                             "--send-cancelled",
                             "--disabled"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "connection 3 (shop1) was added\n");
  EXPECT_EQ(Created().external_id(), "conn-1");
  EXPECT_EQ(Created().odoo().api_key(), "the-key");
  EXPECT_EQ(Created().webhook().secret(), "whsec_abc");
  EXPECT_TRUE(Created().webhook().legacy_secret_header());
  EXPECT_TRUE(Created().send_cancelled());
  EXPECT_EQ(Created().interval().seconds(), 120);
  EXPECT_EQ(Created().start_from(), "last:5");
  EXPECT_EQ(Created().odoo().protocol(), api::ODOO_PROTOCOL_JSONRPC);
  EXPECT_TRUE(Created().paused_polling() && Created().paused_delivery());
  EXPECT_THAT(server.connections.script_CreateConnection.requests.back().request_id(),
              Not(IsEmpty()));
  EXPECT_THAT(result.out + result.err,
              AllOf(Not(HasSubstr("the-key")), Not(HasSubstr("whsec_abc"))));
}

class StartFromTest : public ConnectionsTest {
 protected:
  Result AddFrom(const std::string& start) {
    return Run({"add", "--name", "shop1", "--url", "https://odoo.example", "--database", "db",
                "--username", "bot", "--api-key-file", "-", "--webhook-url", "https://r.example/h",
                "--webhook-secret-file", "-", "--start-from", start},
               "first\nsecond\n");
  }
};

TEST_F(StartFromTest, AnAgeCountsBackFromNow) {
  EXPECT_EQ(AddFrom("30d").code, 0);
  EXPECT_EQ(Created().start_from(), "2026-12-16T08:00:00.000Z");
  EXPECT_EQ(AddFrom("2026-01-31").code, 0);
  EXPECT_EQ(Created().start_from(), "2026-01-31T00:00:00.000Z");
}

TEST_F(StartFromTest, WhatCannotBeMeantIsRefused) {
  EXPECT_THAT(AddFrom("2030-01-01").err, AllOf(HasSubstr("--start-from"), HasSubstr("future")));
  for (const char* bad : {"", "yesterday", "-5d"}) {
    const Result result = AddFrom(bad);
    EXPECT_EQ(result.code, 2) << bad;
    EXPECT_THAT(result.err, AllOf(HasSubstr("--start-from"), HasSubstr("30d"))) << bad;
  }
  EXPECT_THAT(server.connections.script_CreateConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, ShowSaysWhereItsHistoryBegan) {
  shop.set_start_from("last:5");
  EXPECT_THAT(Run({"show", "shop1"}).out, HasSubstr("last:5"));
}

TEST_F(ConnectionsTest, SaysWhyItIsPausedWhereNoOperatorPausedIt) {
  shop.set_paused_polling(true);
  shop.set_paused_delivery(true);
  shop.mutable_state()->set_health(api::CONNECTION_HEALTH_PAUSED);
  shop.mutable_state()->set_pause_note("imported, was disabled there");
  EXPECT_THAT(Run({"show", "shop1"}).out, HasSubstr("imported, was disabled there"));
}

TEST_F(ConnectionsTest, WhatIsHeldOrStandsStillIsNotCalledHealthy) {
  shop.mutable_state()->set_health(api::CONNECTION_HEALTH_HELD);
  shop.mutable_state()->mutable_held_since()->set_seconds(1'799'999'000);
  EXPECT_THAT(Run({"show", "shop1"}).out, AllOf(HasSubstr("held"), Not(HasSubstr("healthy"))));
  shop.mutable_state()->set_health(api::CONNECTION_HEALTH_STANDS_STILL);
  EXPECT_THAT(Run({"show", "shop1"}).out,
              AllOf(HasSubstr("stands still"), HasSubstr("disk is nearly full")));
}

TEST_F(ConnectionsTest, AnOpenBreakerSaysWhoFails) {
  server.connections.script_ListConnections.answer = [](const auto&,
                                                        api::ListConnectionsResponse& response) {
    api::Connection deaf = Shop(1, "shop1"), mute = Shop(2, "shop2");
    for (auto* breaker : {deaf.mutable_state()->mutable_receiver_breaker(),
                          mute.mutable_state()->mutable_odoo_breaker()}) {
      breaker->set_state(api::BREAKER_STATE_OPEN);
      breaker->set_last_error("HTTP 503");
    }
    *response.add_connections() = deaf;
    *response.add_connections() = mute;
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"list"}).out,
              AllOf(HasSubstr("the receiver fails: HTTP 503"), HasSubstr("Odoo fails: HTTP 503")));
}

TEST_F(ConnectionsTest, OnANarrowTerminalTheProblemIsReadInFull) {
  const std::string problem =
      "Odoo answers with an error: AccessDenied: the login bot or its API key is wrong";
  server.connections.script_ListConnections.answer = [&](const auto&,
                                                         api::ListConnectionsResponse& response) {
    *response.add_connections() = Shop(1, "shop1");
    api::Connection broken = Shop(2, "shop2");
    broken.mutable_state()->set_health(api::CONNECTION_HEALTH_SUSPENDED);
    broken.mutable_state()->mutable_suspension()->set_message(problem);
    *response.add_connections() = broken;
    return grpc::Status::OK;
  };
  terminal.output = true;
  environment["NO_COLOR"] = "1";
  const Result result = Run({"list"});
  EXPECT_THAT(result.out, HasSubstr("\n    Odoo answers"));
  std::istringstream lines(result.out);
  std::string whole;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80u) << line;
    if (line.starts_with("    ")) whole += (whole.empty() ? "" : " ") + line.substr(4);
  }
  EXPECT_EQ(whole, problem);
}

TEST_F(ConnectionsTest, SetsProtocolAndRate) {
  const Result result = Run({"edit", "shop1", "--protocol", "json2", "--odoo-rate", "0.5"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(UpdatedFields(), UnorderedElementsAre("odoo.protocol", "odoo.rate"));
  EXPECT_EQ(Updated().connection().odoo().protocol(), api::ODOO_PROTOCOL_JSON2);
  EXPECT_EQ(Updated().connection().odoo().rate(), 0.5);
}

TEST_F(ConnectionsTest, ShowsVersionAndProtocolAndWhatToKnowOfThem) {
  shop.mutable_state()->set_odoo_version("18.0");
  shop.mutable_state()->set_protocol_in_use(api::ODOO_PROTOCOL_JSONRPC);
  shop.mutable_state()->set_protocol_warning("it will go");
  shop.mutable_state()->mutable_key_expire_time()->set_seconds(1800000000);
  const std::string shown = Run({"show", "shop1"}).out;
  EXPECT_THAT(shown, AllOf(HasSubstr("18.0"), HasSubstr("JSON-RPC (auto)"), HasSubstr("it will go"),
                           HasSubstr("API key ends")));
}

TEST_F(ConnectionsTest, ListSortsAndNamesTheOrdersThatItKnows) {
  const auto& requests = server.connections.script_ListConnections.requests;
  EXPECT_EQ(Run({"list"}).code, 0);
  EXPECT_EQ(requests.back().order(), api::CONNECTION_ORDER_ID);
  EXPECT_EQ(Run({"list", "--sort", "waiting"}).code, 0);
  EXPECT_EQ(requests.back().order(), api::CONNECTION_ORDER_OLDEST_WAITING);
  const Result wrong = Run({"list", "--sort", "size"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--sort: \"size\" is none of id, name, waiting, poll"));
}

TEST_F(ConnectionsTest, AddReadsBothSecretsFromStandardInputLineByLine) {
  const Result result = Run({"add", "--name", "shop1", "--url", "https://odoo.example",
                             "--database", "db", "--username", "bot", "--api-key-file", "-",
                             "--webhook-url", "https://r.example/h", "--webhook-secret-file", "-"},
                            "first\nsecond\n");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Created().odoo().api_key(), "first");
  EXPECT_EQ(Created().webhook().secret(), "second");
}

TEST_F(ConnectionsTest, AddWithoutATerminalNamesEveryFlagThatIsMissing) {
  const Result result = Run({"add", "--name", "shop1", "--url", "https://odoo.example"});
  EXPECT_EQ(result.code, 2);
  for (const char* flag : {"--database", "--username", "--api-key-file", "--webhook-secret-file"}) {
    EXPECT_THAT(result.err, HasSubstr(flag));
  }
  EXPECT_THAT(result.err, Not(HasSubstr("--name is missing")));
  EXPECT_THAT(server.connections.script_CreateConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, AddRefusesBadValuesBeforeItAsksTheServer) {
  const Result result = Run({"add", "--name", "42", "--url", "shop.example", "--interval", "5"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("--name:"), HasSubstr("--url:"), HasSubstr("--interval:")));
  EXPECT_THAT(server.connections.script_CreateConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, AddAsksForWhatIsMissingAndForSecretsWithoutEcho) {
  terminal.can_ask = true;
  terminal.answers = {"db", "bot", "the-key", "https://r.example/h", "the-secret", "", "conn-1",
                      "",   "",    "n"};
  const Result result = Run({"add", "--url", "https://odoo.example"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Created().odoo().database(), "db");
  EXPECT_EQ(Created().name(), "db");  // the default of the name
  EXPECT_EQ(Created().odoo().api_key(), "the-key");
  EXPECT_EQ(Created().webhook().secret(), "the-secret");
  EXPECT_EQ(Created().external_id(), "conn-1");
  EXPECT_EQ(terminal.secret_prompts.size(), 2U);
  EXPECT_THAT(terminal.prompts.back(), HasSubstr("Test it now?"));
  EXPECT_THAT(server.connections.script_TestConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, AddAsksAgainForABadAnswerAndForWhatTheServerRefuses) {
  terminal.can_ask = true;
  int calls = 0;
  server.connections.script_CreateConnection.answer =
      [&calls](const api::CreateConnectionRequest& request,
               api::CreateConnectionResponse& response) {
        if (++calls == 1)
          return ServerError(grpc::StatusCode::ALREADY_EXISTS, "taken", "NAME_TAKEN");
        *response.mutable_connection() = request.connection();
        return grpc::Status::OK;
      };
  terminal.answers = {"odoo.example",
                      "https://odoo.example",
                      "db",
                      "",
                      "bot",
                      "k",
                      "https://r.example/h",
                      "s",
                      "shop1",
                      "",
                      "",
                      "",
                      "shop2",
                      "n"};
  const Result result = Run({"add"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Created().name(), "shop2");
  EXPECT_EQ(Created().odoo().url(), "https://odoo.example");
  EXPECT_THAT(result.err, HasSubstr("it is needed"));
}

TEST_F(ConnectionsTest, AddOffersATestAndShowsIt) {
  terminal.can_ask = true;
  terminal.answers = {"https://odoo.example",
                      "db",
                      "bot",
                      "k",
                      "https://r.example/h",
                      "s",
                      "shop1",
                      "",
                      "",
                      "",
                      "y"};
  server.connections.script_TestConnection.answer = [](const auto&,
                                                       api::TestConnectionResponse& response) {
    response.set_healthy(true);
    response.add_steps()->set_name("login");
    return grpc::Status::OK;
  };
  const Result result = Run({"add"});
  EXPECT_EQ(server.connections.script_TestConnection.requests.at(0).connection().id(), 3);
  EXPECT_THAT(result.out, HasSubstr("login"));
}

TEST_F(ConnectionsTest, AddAsksNobodyWhenThereIsNoServer) {
  terminal.can_ask = true;
  EXPECT_EQ(Run({"add", "--server", "127.0.0.1:1"}).code, 5);
  EXPECT_THAT(terminal.prompts, IsEmpty());
}

TEST_F(ConnectionsTest, AddStopsWhenTheInputEnds) {
  terminal.can_ask = true;
  terminal.answers = {"https://odoo.example"};
  EXPECT_EQ(Run({"add"}).code, 2);
  EXPECT_THAT(server.connections.script_CreateConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, EditSendsOnlyWhatTheFlagsName) {
  const Result result = Run({"edit", "shop1", "--interval", "30s", "--no-send-cancelled",
                             "--odoo-ca", WriteFile("ca", "PEM\n")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(UpdatedFields(), UnorderedElementsAre("interval", "send_cancelled", "odoo.ca_pem"));
  EXPECT_EQ(Updated().connection().id(), 3);
  EXPECT_EQ(Updated().connection().interval().seconds(), 30);
  EXPECT_EQ(Updated().connection().etag(), "v1");
}

TEST_F(ConnectionsTest, EditAsksWithThePresentValuesAndSendsWhatChanged) {
  terminal.can_ask = true;
  terminal.answers = {"", "other-db", "", "", "", "new-secret", "", "", "90s", ""};
  const Result result = Run({"edit", "3"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(terminal.prompts.at(0), HasSubstr("[https://shop1.example]"));
  EXPECT_THAT(UpdatedFields(), ElementsAre("odoo.database", "webhook.secret", "interval"));
}

TEST_F(ConnectionsTest, EditWithNothingToDoSendsNothing) {
  EXPECT_EQ(Run({"edit", "3"}).code, 2);
  terminal.can_ask = true;
  terminal.answers = {"", "", "", "", "", "", "", "", "", ""};
  EXPECT_EQ(Run({"edit", "3"}).code, 0);
  EXPECT_THAT(server.connections.script_UpdateConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, DeleteWithoutATerminalNeedsYes) {
  EXPECT_EQ(Run({"delete", "3"}).code, 2);
  EXPECT_THAT(server.connections.script_DeleteConnection.requests, IsEmpty());
  EXPECT_EQ(Run({"delete", "3", "--yes", "--force"}).code, 0);
  EXPECT_TRUE(server.connections.script_DeleteConnection.requests.at(0).force());
}

TEST_F(ConnectionsTest, DeleteAsksAndSaysWhatIsLost) {
  terminal.can_ask = true;
  shop.mutable_state()->set_waiting_count(4);
  shop.mutable_state()->set_dead_count(1);
  terminal.answers = {"n"};
  EXPECT_EQ(Run({"delete", "shop1"}).code, 0);
  EXPECT_THAT(terminal.prompts.back(), HasSubstr("5 undelivered orders"));
  EXPECT_THAT(server.connections.script_DeleteConnection.requests, IsEmpty());
}

TEST_F(ConnectionsTest, DeleteOfUndeliveredOrdersPointsToForce) {
  server.connections.script_DeleteConnection.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::FAILED_PRECONDITION, "5 orders are not delivered",
                       "UNDELIVERED_ORDERS");
  };
  const Result result = Run({"delete", "3", "--yes"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("5 orders"), HasSubstr("--force")));
}

TEST_F(ConnectionsTest, PauseSaysWhichLeg) {
  server.connections.script_PauseConnection.answer =
      [this](const auto&, api::PauseConnectionResponse& response) {
        *response.mutable_connection() = shop;
        return grpc::Status::OK;
      };
  Run({"pause", "3"});
  EXPECT_EQ(Run({"pause", "3", "--delivery"}).out, "delivery of connection 3 (shop1) is paused\n");
  const auto& requests = server.connections.script_PauseConnection.requests;
  EXPECT_EQ(requests.at(0).scope(), api::PAUSE_SCOPE_BOTH);
  EXPECT_EQ(requests.at(1).scope(), api::PAUSE_SCOPE_DELIVERY);
}

TEST_F(ConnectionsTest, ATestThatFailsIsSixAndSaysWhatToDo) {
  server.connections.script_TestConnection.answer = [](const auto&,
                                                       api::TestConnectionResponse& response) {
    auto* dns = response.add_steps();
    dns->set_name("dns");
    dns->set_result(api::TEST_RESULT_OK);
    auto* login = response.add_steps();
    login->set_name("login");
    login->set_result(api::TEST_RESULT_FAILED);
    login->set_detail("Odoo refuses the login");
    login->set_hint("make a new API key");
    response.add_steps()->set_name("read");
    return grpc::Status::OK;
  };
  const Result result = Run({"test", "3"});
  EXPECT_EQ(result.code, 6);
  EXPECT_THAT(result.out, AllOf(HasSubstr("FAILED"), HasSubstr("what to do: make a new API key")));
  EXPECT_EQ(Run({"test", "3", "-o", "json"}).code, 6);
}

TEST_F(ConnectionsTest, APollThatFailsShowsWhatWasFoundAndIsOne) {
  server.connections.script_PollConnection.answer = [](const auto&,
                                                       api::PollConnectionResponse& response) {
    response.mutable_counts()->set_recorded(2);
    response.set_error("timeout");
    return grpc::Status::OK;
  };
  const Result result = Run({"poll", "3"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("2 new or changed"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("timeout"), HasSubstr("pollerctl test 3")));
}

}  // namespace
}  // namespace poller::client
