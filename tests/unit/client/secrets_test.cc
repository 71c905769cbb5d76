// token, rotate-secret: what shows a secret once.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class TokensTest : public ClientTest {
 protected:
  TokensTest() {
    server.admin.script_CreateToken.answer = [this](const api::CreateTokenRequest& request,
                                                    api::CreateTokenResponse& response) {
      *response.mutable_token() = Token(7, request.name(), request.role());
      response.set_secret("poller_secret");
      return grpc::Status::OK;
    };
    server.admin.script_ListTokens.answer = [this](const api::ListTokensRequest&,
                                                   api::ListTokensResponse& response) {
      *response.add_tokens() = Token(1, "admin", api::TOKEN_ROLE_ADMIN);
      *response.add_tokens() = Token(2, "ci", api::TOKEN_ROLE_VIEWER);
      response.mutable_tokens(1)->mutable_revoke_time()->set_seconds(1'799'999'000);
      *response.add_tokens() = Token(3, "ci", api::TOKEN_ROLE_OPERATOR);
      response.mutable_tokens(2)->mutable_last_use_time()->set_seconds(1'799'999'940);
      return grpc::Status::OK;
    };
    server.admin.script_RevokeToken.answer = [this](const api::RevokeTokenRequest& request,
                                                    api::RevokeTokenResponse& response) {
      *response.mutable_token() = Token(request.token_id(), "ci", api::TOKEN_ROLE_OPERATOR);
      return grpc::Status::OK;
    };
  }
  static api::Token Token(std::int64_t id, const std::string& name, api::TokenRole role) {
    api::Token token;
    token.set_id(id);
    token.set_name(name);
    token.set_role(role);
    token.mutable_create_time()->set_seconds(1'799'000'000);
    return token;
  }
  // A name that no file has.
  std::string Free(const std::string& name) {
    const std::string path = WriteFile(name, "");
    std::filesystem::remove(path);
    return path;
  }
};

TEST_F(TokensTest, CreateShowsTheTextAloneOnStandardOutput) {
  const Result result = Run({"token", "create", "ci", "--role", "viewer"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "poller_secret\n");
  EXPECT_THAT(result.err, AllOf(HasSubstr("not shown again"), Not(HasSubstr("poller_secret"))));
  const auto& request = server.admin.script_CreateToken.requests.at(0);
  EXPECT_EQ(request.role(), api::TOKEN_ROLE_VIEWER);
  EXPECT_FALSE(request.request_id().empty());
}

TEST_F(TokensTest, CreateWritesANewFileThatNobodyElseReads) {
  const std::string path = Free("ci.token");
  const Result result = Run({"token", "create", "ci", "--role", "admin", "--out", path});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Content(path), "poller_secret\n");
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("poller_secret")));
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(TokensTest, CreateKeepsTheTextOutOfJsonWhenItGoesToAFile) {
  const Result result =
      Run({"token", "create", "ci", "--role", "admin", "--out", Free("ci.token"), "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"ci\""), Not(HasSubstr("poller_secret"))));
}

TEST_F(TokensTest, CreateOverwritesNothing) {
  const std::string path = WriteFile("ci.token", "precious");
  const Result result = Run({"token", "create", "ci", "--role", "viewer", "--out", path});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("not overwritten"));
  EXPECT_EQ(Content(path), "precious");
  EXPECT_THAT(server.admin.script_CreateToken.requests, IsEmpty());
}

TEST_F(TokensTest, CreateLeavesNoFileWhenItIsRefused) {
  server.admin.script_CreateToken.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::ALREADY_EXISTS, "there is one", "NAME_TAKEN");
  };
  const std::string path = Free("ci.token");
  EXPECT_EQ(Run({"token", "create", "ci", "--role", "viewer", "--out", path}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TokensTest, RolesAreThree) {
  const Result result = Run({"token", "create", "ci", "--role", "root"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(server.admin.script_CreateToken.requests, IsEmpty());
}

TEST_F(TokensTest, ListShowsValidOnesOrAll) {
  const Result valid = Run({"token", "list"});
  EXPECT_EQ(valid.code, 0);
  EXPECT_THAT(valid.out, AllOf(HasSubstr("operator"), HasSubstr("60s ago"), HasSubstr("never"),
                               Not(HasSubstr("viewer"))));
  EXPECT_THAT(Run({"token", "list", "--all"}).out, HasSubstr("revoked"));
  EXPECT_EQ(Run({"token"}).out, valid.out);
}

TEST_F(TokensTest, RevokeTakesANumberOrTheNameOfAValidOne) {
  EXPECT_EQ(Run({"token", "revoke", "ci", "-y"}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "1", "-y"}).code, 0);
  const auto& requests = server.admin.script_RevokeToken.requests;
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].token_id(), 3);
  EXPECT_EQ(requests[1].token_id(), 1);
}

TEST_F(TokensTest, RevokeAsksAndKnowsWhoIsNotThere) {
  EXPECT_EQ(Run({"token", "revoke", "ci"}).code, 2);  // nobody to ask
  terminal.can_ask = true;
  terminal.answers = {"n"};
  EXPECT_EQ(Run({"token", "revoke", "ci"}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "nobody", "-y"}).code, 3);
  EXPECT_THAT(server.admin.script_RevokeToken.requests, IsEmpty());
}

class RotateTest : public TokensTest {
 protected:
  RotateTest() {
    server.connections.script_RotateWebhookSecret
        .answer = [](const api::RotateWebhookSecretRequest& request,
                     api::RotateWebhookSecretResponse& response) {
      *response.mutable_connection() = Shop(1, "shop1");
      if (request.overlap().seconds() > 0) {
        response.mutable_connection()->mutable_webhook()->mutable_rotation_end_time()->set_seconds(
            1'800'000'000 + request.overlap().seconds());
      }
      if (request.secret().empty()) response.set_secret("whsec_new");
      return grpc::Status::OK;
    };
  }
  const auto& requests() { return server.connections.script_RotateWebhookSecret.requests; }
};

TEST_F(RotateTest, ShowsTheNewSecretAndUntilWhenTheOldOneCounts) {
  const Result result = Run({"rotate-secret", "shop1", "-y"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "whsec_new\n");
  EXPECT_THAT(result.err, HasSubstr("until 2027-01-16"));
  EXPECT_EQ(requests().at(0).overlap().seconds(), 86'400);
  EXPECT_FALSE(requests().at(0).request_id().empty());
}

TEST_F(RotateTest, TakesASecretOfAFileOrOfStandardInput) {
  const std::string path = WriteFile("new.whsec", "mine\n");
  EXPECT_EQ(Run({"rotate-secret", "shop1", "-y", "--secret-file", path}).out, "");
  EXPECT_EQ(Run({"rotate-secret", "shop1", "-y", "--secret-file", "-"}, "typed\n").code, 0);
  EXPECT_EQ(requests().at(0).secret(), "mine");
  EXPECT_EQ(requests().at(1).secret(), "typed");
}

TEST_F(RotateTest, WritesTheSecretToANewFile) {
  const std::string path = Free("new.whsec");
  const Result result = Run({"rotate-secret", "shop1", "-y", "--overlap", "0", "--out", path});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Content(path), "whsec_new\n");
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("whsec_new")));
  EXPECT_EQ(requests().at(0).overlap().seconds(), 0);
}

TEST_F(RotateTest, ReplacesANewSecretAndLeavesTheEndUnlessItIsGiven) {
  EXPECT_EQ(Run({"rotate-secret", "shop1", "-y", "--again"}).out, "whsec_new\n");
  EXPECT_EQ(Run({"rotate-secret", "shop1", "-y", "--again", "--overlap", "2h"}).code, 0);
  EXPECT_TRUE(requests().at(0).replace_new_secret());
  EXPECT_FALSE(requests().at(0).has_overlap());
  EXPECT_EQ(requests().at(1).overlap().seconds(), 7'200);
}

TEST_F(RotateTest, SaysWhatToDoWhenTheAnswerIsLost) {
  auto& script = server.connections.script_RotateWebhookSecret;
  script.answer = [](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "");
  };
  EXPECT_THAT(Run({"rotate-secret", "shop1", "-y"}).err, HasSubstr("--again"));
  // Who gives the secret has it.
  const std::string mine = WriteFile("mine", "mine\n");
  EXPECT_THAT(Run({"rotate-secret", "shop1", "-y", "--secret-file", mine}).err,
              Not(HasSubstr("--again")));
  // The answer to a repeat that gRPC made.
  script.answer = [](const auto&, auto& response) {
    *response.mutable_connection() = Shop(1, "shop1");
    return grpc::Status::OK;
  };
  const std::string path = Free("none.whsec");
  const Result result = Run({"rotate-secret", "shop1", "-y", "--out", path});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("--again"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(RotateTest, AsksFirstAndNamesWhatIsWrong) {
  EXPECT_EQ(Run({"rotate-secret", "shop1"}).code, 2);
  const Result wrong = Run({"rotate-secret", "shop1", "-y", "--overlap", "soon"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--overlap"));
  const Result empty =
      Run({"rotate-secret", "shop1", "-y", "--secret-file", WriteFile("empty", "")});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("--secret-file"));
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(RotateTest, ShowSaysThatARotationRuns) {
  server.connections.script_GetConnection.answer = [](const api::GetConnectionRequest&,
                                                      api::GetConnectionResponse& response) {
    *response.mutable_connection() = Shop(1, "shop1");
    response.mutable_connection()->mutable_webhook()->mutable_rotation_end_time()->set_seconds(
        1'800'003'600);
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"show", "shop1"}).out,
              AllOf(HasSubstr("is being rotated"), HasSubstr("in 60m")));
  clock.now += absl::Hours(2);
  EXPECT_THAT(Run({"show", "shop1"}).out, Not(HasSubstr("rotated")));
}

}  // namespace
}  // namespace poller::client
