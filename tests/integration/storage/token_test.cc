// Tokens, and the request ids of calls that create something.
#include "core/base/status.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TokenStoreTest : public StorageFixture {
 protected:
  TokenStoreTest() { Open(); }

  TokenStore& tokens() { return storage_->tokens(); }
  absl::StatusOr<CreatedToken> Create(const std::string& name, Role role,
                                      const Actor& actor = Actor()) {
    return tokens().Create(name, role, TextOf(name), actor, clock_.Now());
  }
  TokenId Made(const std::string& name, Role role) {
    const auto created = Create(name, role, kActor);
    EXPECT_OK(created.status());
    return created->token.id;
  }
  static Secret TextOf(const std::string& name) {
    return Secret(name + ": a text of at least 32 bytes, all in all");
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto all = tokens().List(TokenId(), 10);
    for (const Token& token : *all) names.push_back(token.name);
    return names;
  }
  std::vector<SyncEvent> TokenEvents() {
    std::vector<SyncEvent> events;
    const auto all = storage_->events().Read(EventSequence(), 100);
    for (const SyncEvent& event : *all) {
      if (event.type == EventType::kTokenChanged) events.push_back(event);
    }
    return events;
  }
};

TEST_F(TokenStoreTest, ATokenIsFoundByItsTextAlone) {
  const TokenId id = Made("ops", Role::kOperator);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const Token found, tokens().Find(TextOf("ops")));
  EXPECT_EQ(found.id, id);
  EXPECT_EQ(found.name, "ops");
  EXPECT_EQ(found.role, Role::kOperator);
  EXPECT_THAT(tokens().Find(TextOf("another")), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(TokenStoreTest, LiveTokensHaveNamesOfTheirOwn) {
  const TokenId id = Made("ops", Role::kOperator);
  const auto taken = tokens().Create("ops", Role::kViewer, Secret("x"), kActor, clock_.Now());
  EXPECT_THAT(taken, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("ops")));
  EXPECT_EQ(Reason(taken.status()), "NAME_TAKEN");
  ASSERT_OK(tokens().Revoke(id, kActor, clock_.Now()).status());
  EXPECT_OK(tokens().Create("ops", Role::kViewer, TextOf("new"), kActor, clock_.Now()).status());
}

TEST_F(TokenStoreTest, ATextIsForOneTokenForEver) {
  const TokenId id = Made("ops", Role::kOperator);
  const auto reason_of_another = [this] {
    const auto made = tokens().Create("another", Role::kAdmin, TextOf("ops"), kActor, clock_.Now());
    return Reason(made.status()).value_or("");
  };
  EXPECT_EQ(reason_of_another(), "TOKEN_KNOWN");
  ASSERT_OK(tokens().Revoke(id, kActor, clock_.Now()).status());
  EXPECT_EQ(reason_of_another(), "TOKEN_KNOWN");
}

TEST_F(TokenStoreTest, ListsInPages) {
  Made("a", Role::kAdmin);
  const TokenId b = Made("b", Role::kViewer);
  Made("c", Role::kViewer);
  EXPECT_EQ(tokens().List(TokenId(), 2)->size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto rest, tokens().List(b, 2));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].name, "c");
}

TEST_F(TokenStoreTest, ARevokedTokenIsNotFoundAndStaysListed) {
  const TokenId id = Made("ops", Role::kOperator);
  ASSERT_OK_AND_ASSIGN(const Token revoked, tokens().Revoke(id, kActor, clock_.Now()));
  EXPECT_EQ(revoked.revoked_at, clock_.Now());
  EXPECT_THAT(tokens().Find(TextOf("ops")), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Names(), ElementsAre("ops"));
}

TEST_F(TokenStoreTest, RevokingAgainChangesNothing) {
  const TokenId id = Made("ops", Role::kOperator);
  const absl::Time first = clock_.Now();
  ASSERT_OK(tokens().Revoke(id, kActor, first).status());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(tokens().Revoke(id, kActor, clock_.Now())->revoked_at, first);
  EXPECT_EQ(TokenEvents().size(), 2u);  // created, revoked
}

TEST_F(TokenStoreTest, TheLastAdministratorStays) {
  const TokenId first = Made("first", Role::kAdmin);
  Made("ops", Role::kOperator);
  const auto refused = tokens().Revoke(first, kActor, clock_.Now());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("first")));
  EXPECT_EQ(Reason(refused.status()), "LAST_ADMIN");
  EXPECT_OK(tokens().Find(TextOf("first")).status());
  const TokenId second = Made("second", Role::kAdmin);
  EXPECT_OK(tokens().Revoke(first, kActor, clock_.Now()).status());
  EXPECT_EQ(Reason(tokens().Revoke(second, kActor, clock_.Now()).status()), "LAST_ADMIN");
  EXPECT_THAT(tokens().HasAdmin(), IsOkAndHolds(true));
}

TEST_F(TokenStoreTest, KnowsWhichTokensThereAre) {
  const auto unknown = tokens().Revoke(TokenId(999), kActor, clock_.Now());
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Reason(unknown.status()), "TOKEN_NOT_FOUND");
  EXPECT_THAT(tokens().HasAdmin(), IsOkAndHolds(false));
}

TEST_F(TokenStoreTest, UseIsNotedAndNeverMovesBack) {
  const TokenId id = Made("ops", Role::kOperator);
  EXPECT_EQ(tokens().Find(TextOf("ops"))->last_used_at, std::nullopt);
  const absl::Time used = clock_.Now();
  ASSERT_OK(tokens().RecordUse(id, used));
  ASSERT_OK(tokens().RecordUse(id, used - absl::Hours(1)));
  EXPECT_EQ(tokens().Find(TextOf("ops"))->last_used_at, used);
  EXPECT_OK(tokens().RecordUse(TokenId(999), used));
}

TEST_F(TokenStoreTest, ChangesAreEventsWithWhoAskedForThem) {
  const Actor actor{.token_name = "boss", .request_id = "r-1"};
  ASSERT_OK_AND_ASSIGN(const CreatedToken made, Create("ops", Role::kOperator, actor));
  ASSERT_OK(tokens().Revoke(made.token.id, actor, clock_.Now()).status());
  const auto events = TokenEvents();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].detail.change, "created ops");
  EXPECT_EQ(events[1].detail.change, "revoked ops");
  for (const SyncEvent& event : events) {
    EXPECT_EQ(event.detail.actor, "boss");
    EXPECT_EQ(event.detail.request_id, "r-1");
  }
}

TEST_F(TokenStoreTest, ARepeatGivesTheFirstTokenAndMakesNone) {
  const Actor actor{.token_name = "boss", .request_id = "r-1", .request_digest = "digest"};
  ASSERT_OK_AND_ASSIGN(const CreatedToken first, Create("ops", Role::kOperator, actor));
  EXPECT_FALSE(first.repeated);
  const auto again =
      tokens().Create("ops", Role::kOperator, TextOf("another"), actor, clock_.Now());
  ASSERT_OK(again.status());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->token.id, first.token.id);
  EXPECT_THAT(tokens().Find(TextOf("another")), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Names(), ElementsAre("ops"));
}

TEST_F(TokenStoreTest, ARequestIdIsForOneRequestADay) {
  Actor actor{.token_name = "boss", .request_id = "r-1", .request_digest = "digest"};
  ASSERT_OK(Create("ops", Role::kOperator, actor).status());
  actor.request_digest = "another";
  const auto reused = Create("other", Role::kOperator, actor);
  EXPECT_THAT(reused, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Reason(reused.status()), "REQUEST_ID_REUSED");
  clock_.Advance(absl::Hours(24));
  EXPECT_OK(Create("other", Role::kOperator, actor).status());
}

TEST_F(TokenStoreTest, ARepeatIsKnownAfterARestart) {
  const Actor actor{.token_name = "boss", .request_id = "r-1", .request_digest = "digest"};
  ASSERT_OK(Create("ops", Role::kOperator, actor).status());
  Reopen();
  EXPECT_TRUE(Create("ops", Role::kOperator, actor)->repeated);
}

}  // namespace
}  // namespace poller
