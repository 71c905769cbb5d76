#include "server/rpc/authenticator.h"

#include <gmock/gmock.h>

#include <string>

#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/fake_tokens.h"

namespace poller::rpc {
namespace {

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    CryptoInit();
    Token token;
    token.id = TokenId(7);
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

TEST_F(AuthenticatorTest, AsksAgainForWhatWasRevoked) {
  ASSERT_OK(authenticator.Authenticate(Secret("good")));
  tokens.tokens.clear();
  authenticator.Forget(TokenId(8));  // another
  EXPECT_OK(authenticator.Authenticate(Secret("good")));
  authenticator.Forget(TokenId(7));
  EXPECT_THAT(authenticator.Authenticate(Secret("good")),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

// The store answered before the revocation, and the answer comes after it.
TEST_F(AuthenticatorTest, DoesNotBelieveWhatWasReadBeforeARevocation) {
  tokens.while_reading = [this] { authenticator.Forget(TokenId(7)); };
  ASSERT_OK(authenticator.Authenticate(Secret("good")));
  tokens.while_reading = nullptr;
  tokens.tokens.clear();
  EXPECT_THAT(authenticator.Authenticate(Secret("good")),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AuthenticatorTest, NotesItsUseOnceAMinute) {
  EXPECT_TRUE(authenticator.UseIsDue(TokenId(7)));
  EXPECT_FALSE(authenticator.UseIsDue(TokenId(7)));
  EXPECT_TRUE(authenticator.UseIsDue(TokenId(8)));
  clock.Advance(Authenticator::kUseStep);
  EXPECT_TRUE(authenticator.UseIsDue(TokenId(7)));
  EXPECT_FALSE(authenticator.UseIsDue(TokenId(7)));
  authenticator.NoteUse(TokenId(7));
  ASSERT_EQ(tokens.uses.size(), 1u);
  EXPECT_EQ(tokens.uses[0].second, clock.Now());
}

TEST(MakeTokenTest, MakesTextsThatDiffer) {
  const Secret first = MakeToken(SystemRandom());
  EXPECT_TRUE(first.Reveal().starts_with("poller_"));
  EXPECT_GE(first.size(), 32u);
  EXPECT_NE(first.Reveal(), MakeToken(SystemRandom()).Reveal());
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
