#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Admin = v1::AdminService::Stub;

class TokenServiceTest : public ServerFixture {
 protected:
  Answer<v1::CreateTokenResponse> Create(const std::string& name, v1::TokenRole role,
                                         const std::string& request_id = "") {
    v1::CreateTokenRequest request;
    request.set_name(name);
    request.set_role(role);
    request.set_request_id(request_id);
    return Call(status_, &Admin::CreateToken, request);
  }
  Answer<v1::RevokeTokenResponse> Revoke(std::int64_t id) {
    v1::RevokeTokenRequest request;
    request.set_token_id(id);
    return Call(status_, &Admin::RevokeToken, request);
  }
  Answer<v1::ListTokensResponse> List(const v1::ListTokensRequest& request = {}) {
    return Call(status_, &Admin::ListTokens, request);
  }
  grpc::Status Use(const std::string& token) {
    return CallAs(token, status_, &Admin::GetServerStatus, v1::GetServerStatusRequest()).status;
  }
  v1::Token Named(const std::string& name) {
    const auto all = List();
    for (const v1::Token& token : all->tokens()) {
      if (token.name() == name) return token;
    }
    ADD_FAILURE() << "no token " << name;
    return {};
  }
};

TEST_F(TokenServiceTest, ANewTokenDoesWhatItsRoleMay) {
  Start();
  const auto made = Create("reader", v1::TOKEN_ROLE_VIEWER);
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  EXPECT_EQ(made->token().name(), "reader");
  EXPECT_EQ(made->token().role(), v1::TOKEN_ROLE_VIEWER);
  EXPECT_TRUE(made->token().has_create_time());
  EXPECT_FALSE(made->token().has_revoke_time());
  EXPECT_TRUE(Use(made->secret()).ok());
  EXPECT_THAT(CallAs(made->secret(), status_, &Admin::ListTokens, v1::ListTokensRequest()),
              FailsWith(grpc::PERMISSION_DENIED, "ROLE_TOO_LOW"));
}

TEST_F(TokenServiceTest, RequestIdsAreTheTokensAndNotItsNames) {
  Start();
  const auto create = [this](const std::string& token, const std::string& shop) {
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings(shop);
    request.mutable_connection()->set_paused_polling(true);
    request.set_request_id("request-1");
    return CallAs(token, connections_, &v1::ConnectionService::Stub::CreateConnection, request);
  };
  const auto pause = [this](const std::string& token, std::int64_t shop) {
    v1::PauseConnectionRequest request;
    *request.mutable_connection() = Ref(shop);
    request.set_request_id("request-2");
    return CallAs(token, connections_, &v1::ConnectionService::Stub::PauseConnection, request);
  };
  const auto first = Create("ci", v1::TOKEN_ROLE_ADMIN);
  const auto made = create(first->secret(), "one");
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  ASSERT_TRUE(pause(first->secret(), made->connection().id()).ok());
  ASSERT_TRUE(Revoke(first->token().id()).ok());
  const auto second = Create("ci", v1::TOKEN_ROLE_ADMIN);
  const auto another = create(second->secret(), "two");
  ASSERT_TRUE(another.ok()) << another.status.error_message();
  EXPECT_EQ(another->connection().name(), "two");
  EXPECT_TRUE(pause(second->secret(), another->connection().id()).ok());
  EXPECT_EQ(create(second->secret(), "two")->connection().id(), another->connection().id());
}

TEST_F(TokenServiceTest, TheTextIsShownOnceAndNowhereElse) {
  Start();
  const auto made = Create("reader", v1::TOKEN_ROLE_VIEWER, "request-1");
  const std::string secret = made->secret();
  ASSERT_GE(secret.size(), 32u);
  const auto again = Create("reader", v1::TOKEN_ROLE_VIEWER, "request-1");
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again->token().id(), made->token().id());
  EXPECT_EQ(again->secret(), "");
  EXPECT_THAT(List()->SerializeAsString(), Not(HasSubstr(secret)));
  v1::StreamSyncEventsRequest from_start;
  from_start.set_after_sequence(0);
  EventReader reader = Events(from_start);
  const auto event = reader.Until(v1::EVENT_TYPE_TOKEN_CHANGED);
  for (auto next = event; next && next->server_act().what() != "created reader";
       next = reader.Until(v1::EVENT_TYPE_TOKEN_CHANGED)) {
    EXPECT_THAT(next->SerializeAsString(), Not(HasSubstr(secret)));
  }
}

TEST_F(TokenServiceTest, SaysWhoMadeAToken) {
  Start();
  v1::StreamSyncEventsRequest now;
  now.set_after_sequence(NewestSequence());
  EventReader reader = Events(now);
  ASSERT_TRUE(Create("reader", v1::TOKEN_ROLE_VIEWER, "request-1").ok());
  const auto event = reader.Until(v1::EVENT_TYPE_TOKEN_CHANGED);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->server_act().what(), "created reader");
  EXPECT_EQ(event->server_act().actor(), "admin");
  EXPECT_EQ(event->server_act().request_id(), "request-1");
}

TEST_F(TokenServiceTest, ARequestIdBelongsToOneRequest) {
  Start();
  ASSERT_TRUE(Create("reader", v1::TOKEN_ROLE_VIEWER, "request-1").ok());
  EXPECT_THAT(Create("reader", v1::TOKEN_ROLE_ADMIN, "request-1"),
              FailsWith(grpc::ALREADY_EXISTS, "REQUEST_ID_REUSED"));
}

TEST_F(TokenServiceTest, NamesWhatIsWrong) {
  Start();
  EXPECT_THAT(WrongFields(Create("", v1::TOKEN_ROLE_UNSPECIFIED).status),
              ElementsAre("name", "role"));
  EXPECT_THAT(WrongFields(Create("17", static_cast<v1::TokenRole>(9)).status),
              ElementsAre("name", "role"));
  EXPECT_THAT(WrongFields(Create("a", v1::TOKEN_ROLE_VIEWER, std::string(101, 'x')).status),
              ElementsAre("request_id"));
  EXPECT_THAT(WrongFields(Revoke(0).status), ElementsAre("token_id"));
  EXPECT_THAT(Revoke(999), FailsWith(grpc::NOT_FOUND, "TOKEN_NOT_FOUND"));
  const auto taken = Create("admin", v1::TOKEN_ROLE_VIEWER);
  EXPECT_THAT(taken, FailsWith(grpc::ALREADY_EXISTS, "NAME_TAKEN"));
  EXPECT_EQ(InfoOf(taken.status).metadata().at("name"), "admin");
}

TEST_F(TokenServiceTest, ListsInPages) {
  Start();
  v1::ListTokensRequest request;
  request.set_page_size(2);
  const auto first = List(request);
  ASSERT_EQ(first->tokens_size(), 2);
  request.set_page_token(first->next_page_token());
  const auto second = List(request);
  EXPECT_EQ(second->tokens_size(), 1);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(TokenServiceTest, ShowsWhenATokenWasUsedLast) {
  Start();
  const auto made = Create("reader", v1::TOKEN_ROLE_VIEWER);
  EXPECT_FALSE(Named("reader").has_last_use_time());
  ASSERT_TRUE(Use(made->secret()).ok());
  // It is noted beside the call.
  const absl::Time patience = SystemClock().Now() + absl::Seconds(20);
  while (!Named("reader").has_last_use_time()) ASSERT_LT(SystemClock().Now(), patience);
}

TEST_F(TokenServiceTest, ARevokedTokenIsRefusedAtOnce) {
  Start();
  const auto made = Create("reader", v1::TOKEN_ROLE_VIEWER);
  ASSERT_TRUE(Use(made->secret()).ok());
  const auto revoked = Revoke(made->token().id());
  ASSERT_TRUE(revoked.ok()) << revoked.status.error_message();
  EXPECT_TRUE(revoked->token().has_revoke_time());
  EXPECT_EQ(Use(made->secret()).error_code(), grpc::UNAUTHENTICATED);
  EXPECT_TRUE(Revoke(made->token().id()).ok());
}

TEST_F(TokenServiceTest, ARevokedTokenEndsItsStreamsAtOnce) {
  Start(absl::Hours(1));  // no heartbeat looks after it
  const auto made = Create("reader", v1::TOKEN_ROLE_VIEWER);
  EventReader mine(*logs_, v1::StreamSyncEventsRequest(), made->secret());
  EventReader other = Events(v1::StreamSyncEventsRequest());
  ASSERT_TRUE(mine.NextHeartbeat().has_value());
  ASSERT_TRUE(other.NextHeartbeat().has_value());
  ASSERT_TRUE(Revoke(made->token().id()).ok());
  EXPECT_THAT(mine.End(), FailsWith(grpc::UNAUTHENTICATED, "TOKEN_INVALID"));
  EXPECT_TRUE(other.Until(v1::EVENT_TYPE_TOKEN_CHANGED).has_value());
}

TEST_F(TokenServiceTest, TheLastAdministratorStays) {
  Start();
  EXPECT_THAT(Revoke(Named("admin").id()), FailsWith(grpc::FAILED_PRECONDITION, "LAST_ADMIN"));
  EXPECT_TRUE(Use(admin_).ok());
  ASSERT_TRUE(Create("second", v1::TOKEN_ROLE_ADMIN).ok());
  EXPECT_TRUE(Revoke(Named("admin").id()).ok());  // itself
  EXPECT_EQ(Use(admin_).error_code(), grpc::UNAUTHENTICATED);
}

}  // namespace
}  // namespace poller
