#include "server/rpc/authenticator.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

// The outside of a database: tokens that can be revoked, and a count of questions.
class FakeTokens final : public TokenStore {
 public:
  absl::StatusOr<Token> Create(const std::string&, Role, const Secret&, const Actor&,
                               absl::Time) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<Token> Find(const Secret& token) override {
    ++questions;
    if (!failure.ok()) return failure;
    const auto found = tokens.find(token.Reveal());
    if (found == tokens.end()) return absl::UnauthenticatedError("unknown");
    return found->second;
  }
  absl::StatusOr<std::vector<Token>> List() override { return std::vector<Token>(); }

  std::map<std::string, Token> tokens;
  absl::Status failure;
  int questions = 0;
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    CryptoInit();
    Token token;
    token.name = "ops";
    token.role = Role::kOperator;
    tokens.tokens["good"] = token;
  }
  FakeTokens tokens;
  FakeClock clock;
  Authenticator authenticator{tokens, clock, SystemRandom()};
};

TEST_F(AuthenticatorTest, FindsAToken) {
  ASSERT_OK_AND_ASSIGN(const Token token, authenticator.Authenticate(Secret("good")));
  EXPECT_EQ(token.name, "ops");
}

TEST_F(AuthenticatorTest, RefusesAnUnknownOne) {
  const auto found = authenticator.Authenticate(Secret("bad"));
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(Reason(found.status()), "TOKEN_INVALID");
}

TEST_F(AuthenticatorTest, AsksOnceForManyCalls) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(authenticator.Authenticate(Secret("good")));
  EXPECT_EQ(tokens.questions, 1);
}

TEST_F(AuthenticatorTest, SeesARevocationAfterItsTrust) {
  ASSERT_OK(authenticator.Authenticate(Secret("good")));
  tokens.tokens.clear();
  clock.Advance(Authenticator::kTrust);
  EXPECT_THAT(authenticator.Authenticate(Secret("good")),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AuthenticatorTest, PassesOnThatTheStoreIsBusy) {
  tokens.failure = absl::UnavailableError("busy");
  EXPECT_THAT(authenticator.Authenticate(Secret("good")), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(BearerTokenTest, ReadsTheScheme) {
  EXPECT_EQ(BearerToken("Bearer abc")->Reveal(), "abc");
  EXPECT_EQ(BearerToken("bearer abc")->Reveal(), "abc");
}

TEST(BearerTokenTest, TellsMissingFromWrong) {
  EXPECT_EQ(Reason(BearerToken("").status()), "TOKEN_MISSING");
  for (const std::string& text : {std::string("abc"), std::string("Basic abc"),
                                  std::string("Bearer "), "Bearer " + std::string(5000, 'x')}) {
    EXPECT_THAT(BearerToken(text), StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_EQ(Reason(BearerToken(text).status()), "TOKEN_INVALID");
  }
}

}  // namespace
}  // namespace poller::rpc
