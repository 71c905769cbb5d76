#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Stub = v1::ConnectionService::Stub;

class ConnectionServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    options_.shutdown_grace = absl::Milliseconds(500);
    Start();
  }

  Answer<v1::CreateConnectionResponse> Create(const v1::Connection& connection,
                                              const std::string& request_id = "") {
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = connection;
    request.set_request_id(request_id);
    return Call(connections_, &Stub::CreateConnection, request);
  }
  // Paused, so that nothing happens by itself.
  v1::Connection AddQuiet(const std::string& name) {
    v1::Connection connection = ShopSettings(name);
    connection.set_paused_polling(true);
    const auto created = Create(connection);
    EXPECT_TRUE(created.ok()) << created.status.error_message();
    return created->connection();
  }
  Answer<v1::UpdateConnectionResponse> Update(const v1::Connection& connection,
                                              const std::vector<std::string>& paths) {
    v1::UpdateConnectionRequest request;
    *request.mutable_connection() = connection;
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    return Call(connections_, &Stub::UpdateConnection, request);
  }
  Answer<v1::TestConnectionResponse> Test(std::int64_t id) {
    v1::TestConnectionRequest request;
    *request.mutable_connection() = Ref(id);
    return Call(connections_, &Stub::TestConnection, request);
  }
  Answer<v1::DeleteConnectionResponse> Delete(std::int64_t id, bool force = false) {
    v1::DeleteConnectionRequest request;
    *request.mutable_connection() = Ref(id);
    request.set_force(force);
    return Call(connections_, &Stub::DeleteConnection, request);
  }
};

TEST_F(ConnectionServiceTest, CreatesWithoutShowingSecrets) {
  const auto created = Create(ShopSettings());
  ASSERT_TRUE(created.ok()) << created.status.error_message();
  EXPECT_GT(created->connection().id(), 0);
  EXPECT_TRUE(created->connection().odoo().has_api_key());
  EXPECT_THAT(created->SerializeAsString(), Not(HasSubstr("admin-key")));
  EXPECT_THAT(created->SerializeAsString(), Not(HasSubstr("shop-secret")));
  EXPECT_EQ(created->connection().overlap().seconds(), 300);
  EXPECT_EQ(created->connection().start_from(), "now");
}

TEST_F(ConnectionServiceTest, IsFoundByIdAndByName) {
  const v1::Connection made = AddQuiet("shop");
  EXPECT_EQ(Shop(made.id()).name(), "shop");
  v1::GetConnectionRequest request;
  request.mutable_connection()->set_name("shop");
  EXPECT_EQ(Call(connections_, &Stub::GetConnection, request)->connection().id(), made.id());
}

TEST_F(ConnectionServiceTest, KnowsWhatItDoesNotHave) {
  v1::GetConnectionRequest request;
  *request.mutable_connection() = Ref(999);
  const auto by_id = Call(connections_, &Stub::GetConnection, request);
  EXPECT_THAT(by_id, FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
  EXPECT_EQ(InfoOf(by_id.status).metadata().at("connection"), "999");
  request.mutable_connection()->set_name("nobody");
  EXPECT_THAT(Call(connections_, &Stub::GetConnection, request),
              FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
  request.clear_connection();
  const auto neither = Call(connections_, &Stub::GetConnection, request);
  EXPECT_THAT(neither, FailsWith(grpc::INVALID_ARGUMENT, "INVALID_FIELDS"));
  EXPECT_THAT(WrongFields(neither.status), ElementsAre("connection"));
}

TEST_F(ConnectionServiceTest, ListsEveryWrongFieldOfANewOne) {
  v1::Connection connection = ShopSettings();
  connection.mutable_odoo()->set_url("shop.example.com");
  connection.mutable_odoo()->clear_api_key();
  connection.mutable_interval()->set_seconds(0);
  const auto created = Create(connection);
  EXPECT_THAT(created, FailsWith(grpc::INVALID_ARGUMENT, "INVALID_FIELDS"));
  EXPECT_THAT(WrongFields(created.status),
              UnorderedElementsAre("connection.odoo.url", "connection.odoo.api_key",
                                   "connection.interval"));
}

TEST_F(ConnectionServiceTest, RefusesANameThatIsTaken) {
  AddQuiet("shop");
  const auto again = Create(ShopSettings());
  EXPECT_THAT(again, FailsWith(grpc::ALREADY_EXISTS, "NAME_TAKEN"));
  EXPECT_EQ(InfoOf(again.status).metadata().at("name"), "shop");
}

TEST_F(ConnectionServiceTest, CreatesOnceForOneRequestId) {
  const auto first = Create(ShopSettings(), "request-1");
  const auto second = Create(ShopSettings(), "request-1");
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_EQ(second->connection().id(), first->connection().id());
  EXPECT_THAT(WrongFields(Create(ShopSettings("other"), std::string(101, 'x')).status),
              ElementsAre("request_id"));
}

TEST_F(ConnectionServiceTest, ListsInPages) {
  for (const char* const name : {"a", "b", "c"}) AddQuiet(name);
  v1::ListConnectionsRequest request;
  request.set_page_size(2);
  const auto first = Call(connections_, &Stub::ListConnections, request);
  ASSERT_EQ(first->connections_size(), 2);
  request.set_page_token(first->next_page_token());
  const auto second = Call(connections_, &Stub::ListConnections, request);
  ASSERT_EQ(second->connections_size(), 1);
  EXPECT_EQ(second->connections(0).name(), "c");
  EXPECT_EQ(second->next_page_token(), "");

  request.set_unhealthy(true);  // another query
  const auto wrong = Call(connections_, &Stub::ListConnections, request);
  EXPECT_THAT(wrong, FailsWith(grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"));
  EXPECT_THAT(WrongFields(wrong.status), ElementsAre("page_token"));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_THAT(WrongFields(Call(connections_, &Stub::ListConnections, request).status),
              ElementsAre("page_size"));
}

TEST_F(ConnectionServiceTest, ListsUnhealthyOnesAlone) {
  AddQuiet("well");
  v1::Connection ill = ShopSettings("ill");
  ill.mutable_odoo()->set_database("nowhere");
  ill.set_paused_polling(true);
  const auto created = Create(ill);
  EXPECT_NE(Poll(created->connection().id()).error(), "");
  v1::ListConnectionsRequest request;
  request.set_unhealthy(true);
  const auto listed = Call(connections_, &Stub::ListConnections, request);
  ASSERT_EQ(listed->connections_size(), 1);
  EXPECT_EQ(listed->connections(0).name(), "ill");
}

TEST_F(ConnectionServiceTest, UpdatesWhatTheMaskNames) {
  v1::Connection connection = AddQuiet("shop");
  connection.set_name("renamed");
  connection.set_external_id("not named");
  const auto updated = Update(connection, {"name"});
  ASSERT_TRUE(updated.ok()) << updated.status.error_message();
  EXPECT_EQ(updated->connection().name(), "renamed");
  EXPECT_EQ(updated->connection().external_id(), "");
  EXPECT_NE(updated->connection().etag(), connection.etag());
}

TEST_F(ConnectionServiceTest, RefusesAStaleEtag) {
  const v1::Connection before = AddQuiet("shop");
  v1::Connection change = before;
  change.set_name("first");
  ASSERT_TRUE(Update(change, {"name"}).ok());
  change.set_name("second");
  EXPECT_THAT(Update(change, {"name"}), FailsWith(grpc::ABORTED, "ETAG_MISMATCH"));
  change.clear_etag();
  EXPECT_TRUE(Update(change, {"name"}).ok());
}

TEST_F(ConnectionServiceTest, LeavesTheEtagWhereNothingChanges) {
  const v1::Connection before = AddQuiet("shop");
  const auto updated = Update(before, {"name", "interval"});
  ASSERT_TRUE(updated.ok());
  EXPECT_EQ(updated->connection().etag(), before.etag());
}

TEST_F(ConnectionServiceTest, WantsTheSecretAnewForAnotherServer) {
  v1::Connection connection = AddQuiet("shop");
  connection.mutable_odoo()->set_url("https://other.example.com");
  const auto refused = Update(connection, {"odoo.url"});
  EXPECT_THAT(refused, FailsWith(grpc::INVALID_ARGUMENT, "INVALID_FIELDS"));
  EXPECT_THAT(WrongFields(refused.status), ElementsAre("connection.odoo.api_key"));
  connection.mutable_odoo()->set_api_key("new-key");
  EXPECT_TRUE(Update(connection, {"odoo.url", "odoo.api_key"}).ok());
}

TEST_F(ConnectionServiceTest, RefusesAnUpdateOfNothingAndOfNobody) {
  v1::Connection connection = AddQuiet("shop");
  EXPECT_THAT(WrongFields(Update(connection, {}).status), ElementsAre("update_mask"));
  connection.set_id(999);
  EXPECT_THAT(Update(connection, {"name"}), FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
  connection.clear_id();
  EXPECT_THAT(WrongFields(Update(connection, {"name"}).status), ElementsAre("connection.id"));
}

TEST_F(ConnectionServiceTest, NamesWhoChangedWhat) {
  v1::Connection connection = AddQuiet("shop");
  v1::StreamSyncEventsRequest after;
  after.set_after_sequence(NewestSequence());
  connection.mutable_interval()->set_seconds(90);
  ASSERT_TRUE(Update(connection, {"interval"}).ok());
  const auto event = Events(after).Until(v1::EVENT_TYPE_CONNECTION_UPDATED);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->connection_change().actor(), "admin");
  EXPECT_EQ(event->connection_change().change(), "interval");
}

TEST_F(ConnectionServiceTest, PausesAndResumesEachLeg) {
  const v1::Connection connection = AddShop();
  v1::PauseConnectionRequest pause;
  *pause.mutable_connection() = Ref(connection.id());
  pause.set_scope(v1::PAUSE_SCOPE_DELIVERY);
  const auto paused = Call(connections_, &Stub::PauseConnection, pause);
  EXPECT_FALSE(paused->connection().paused_polling());
  EXPECT_TRUE(paused->connection().paused_delivery());
  EXPECT_EQ(paused->connection().state().health(), v1::CONNECTION_HEALTH_PAUSED);

  ConfirmOrder();
  EXPECT_EQ(Poll(connection.id()).error(), "");
  EXPECT_EQ(Shop(connection.id()).state().waiting_count(), 1);

  v1::ResumeConnectionRequest resume;
  *resume.mutable_connection() = Ref(connection.id());
  const auto resumed = Call(connections_, &Stub::ResumeConnection, resume);
  EXPECT_FALSE(resumed->connection().paused_delivery());
  EXPECT_TRUE(
      receiver_.WaitFor([](const auto& s) { return s.accepted_orders == 1; }, absl::Seconds(20)));
}

TEST_F(ConnectionServiceTest, PausingWhatIsPausedChangesNothing) {
  const v1::Connection connection = AddQuiet("shop");
  v1::PauseConnectionRequest pause;
  *pause.mutable_connection() = Ref(connection.id());
  pause.set_scope(v1::PAUSE_SCOPE_POLLING);
  EXPECT_EQ(Call(connections_, &Stub::PauseConnection, pause)->connection().etag(),
            connection.etag());
  pause.set_scope(static_cast<v1::PauseScope>(77));
  EXPECT_THAT(WrongFields(Call(connections_, &Stub::PauseConnection, pause).status),
              ElementsAre("scope"));
}

TEST_F(ConnectionServiceTest, PollsNow) {
  const v1::Connection connection = AddShop();
  ConfirmOrder();
  const v1::PollConnectionResponse polled = Poll(connection.id());
  EXPECT_EQ(polled.error(), "");
  EXPECT_EQ(polled.counts().recorded(), 1);
  EXPECT_TRUE(polled.has_start_time());
  EXPECT_TRUE(
      receiver_.WaitFor([](const auto& s) { return s.accepted_orders == 1; }, absl::Seconds(20)));
}

TEST_F(ConnectionServiceTest, SaysWhyAPollFailed) {
  const v1::Connection connection = AddShop();
  sim_.faults().Add({.kind = test::OdooFault::Kind::kStatus, .status = 502});
  EXPECT_THAT(Poll(connection.id()).error(), HasSubstr("502"));
}

TEST_F(ConnectionServiceTest, LetsGoOfACallerWhoseDeadlineHasPassed) {
  const v1::Connection connection = AddShop();
  sim_.faults().Add({.kind = test::OdooFault::Kind::kHang});
  v1::PollConnectionRequest request;
  *request.mutable_connection() = Ref(connection.id());
  grpc::ClientContext context;
  Prepare(context, admin_);
  context.set_deadline(absl::ToChronoTime(SystemClock().Now() + absl::Milliseconds(100)));
  v1::PollConnectionResponse response;
  EXPECT_EQ(connections_->PollConnection(&context, request, &response).error_code(),
            grpc::DEADLINE_EXCEEDED);
  EXPECT_TRUE(
      Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest()).ok());
}

TEST_F(ConnectionServiceTest, TestsStepByStep) {
  const v1::Connection connection = AddShop();
  const auto tested = Test(connection.id());
  ASSERT_TRUE(tested.ok()) << tested.status.error_message();
  EXPECT_TRUE(tested->healthy()) << tested->DebugString();
  EXPECT_EQ(tested->steps().rbegin()->name(), "webhook");
  EXPECT_EQ(receiver_.Summary().tests, 1);
}

TEST_F(ConnectionServiceTest, SaysTheReceiversStatusOnce) {
  const v1::Connection connection = AddShop();
  EXPECT_THAT(Test(connection.id())->steps().rbegin()->detail(), StartsWith("HTTP 2"));
  receiver_.SetBehaviour({.status = 503});
  const std::string detail = Test(connection.id())->steps().rbegin()->detail();
  EXPECT_THAT(detail, StartsWith("HTTP 503"));
  EXPECT_EQ(detail.rfind("HTTP"), 0u) << detail;
}

TEST_F(ConnectionServiceTest, NamesTheStepThatFails) {
  const v1::Connection connection = AddShop();
  db_.SetKey("admin", "another-key");
  const auto tested = Test(connection.id());
  EXPECT_FALSE(tested->healthy());
  for (const auto& step : tested->steps()) {
    if (step.name() != "login") continue;
    EXPECT_EQ(step.result(), v1::TEST_RESULT_FAILED);
    EXPECT_NE(step.hint(), "");
  }
}

TEST_F(ConnectionServiceTest, HintsAtTheLegacyHeaderWhenTheReceiverRefuses) {
  const v1::Connection connection = AddShop();
  receiver_.SetBehaviour({.status = 401});
  const auto tested = Test(connection.id());
  EXPECT_FALSE(tested->healthy());
  EXPECT_THAT(tested->steps().rbegin()->hint(), HasSubstr("legacy_secret_header"));
}

TEST_F(ConnectionServiceTest, AGreenTestEndsASuspension) {
  const v1::Connection connection = AddShop();
  db_.SetKey("admin", "another-key");
  Poll(connection.id());
  Poll(connection.id());
  ASSERT_EQ(Shop(connection.id()).state().health(), v1::CONNECTION_HEALTH_SUSPENDED);
  db_.SetKey("admin", "admin-key");
  EXPECT_TRUE(Test(connection.id())->healthy());
  EXPECT_FALSE(Shop(connection.id()).state().has_suspension());
}

TEST_F(ConnectionServiceTest, NewCredentialsEndASuspension) {
  v1::Connection connection = AddShop();
  db_.SetKey("admin", "another-key");
  Poll(connection.id());
  Poll(connection.id());
  ASSERT_EQ(Shop(connection.id()).state().health(), v1::CONNECTION_HEALTH_SUSPENDED);
  connection.clear_etag();
  connection.mutable_odoo()->set_api_key("another-key");
  ASSERT_TRUE(Update(connection, {"odoo.api_key"}).ok());
  EXPECT_FALSE(Shop(connection.id()).state().has_suspension());
  EXPECT_EQ(Poll(connection.id()).error(), "");
}

TEST_F(ConnectionServiceTest, ResetsBothBreakers) {
  const v1::Connection connection = AddShop();
  sim_.faults().Add({.kind = test::OdooFault::Kind::kStatus, .status = 502});
  for (int i = 0; i < options_.breaker.failures; ++i) Poll(connection.id());
  ASSERT_NE(Shop(connection.id()).state().odoo_breaker().state(), v1::BREAKER_STATE_CLOSED);
  sim_.faults().Clear();
  v1::ResetCircuitRequest request;
  *request.mutable_connection() = Ref(connection.id());
  const auto reset = Call(connections_, &Stub::ResetCircuit, request);
  ASSERT_TRUE(reset.ok()) << reset.status.error_message();
  EXPECT_EQ(reset->connection().state().odoo_breaker().state(), v1::BREAKER_STATE_CLOSED);
}

TEST_F(ConnectionServiceTest, DeletesUndeliveredOrdersOnlyByForce) {
  const v1::Connection connection = AddShop();
  v1::PauseConnectionRequest pause;
  *pause.mutable_connection() = Ref(connection.id());
  pause.set_scope(v1::PAUSE_SCOPE_DELIVERY);
  ASSERT_TRUE(Call(connections_, &Stub::PauseConnection, pause).ok());
  ConfirmOrder();
  ASSERT_EQ(Poll(connection.id()).error(), "");

  const auto refused = Delete(connection.id());
  EXPECT_THAT(refused, FailsWith(grpc::FAILED_PRECONDITION, "UNDELIVERED_ORDERS"));
  EXPECT_EQ(InfoOf(refused.status).metadata().at("waiting"), "1");
  EXPECT_EQ(InfoOf(refused.status).metadata().at("dead"), "0");
  const auto deleted = Delete(connection.id(), true);
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(deleted->undelivered_count(), 1);
  EXPECT_THAT(Delete(connection.id()), FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
}

}  // namespace
}  // namespace poller
