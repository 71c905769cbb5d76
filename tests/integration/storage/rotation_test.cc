// The secret of the webhooks, while it is rotated.
#include "core/base/status.h"
#include "core/storage/sqlite/database.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RotationTest : public StorageFixture {
 protected:
  RotationTest() {
    Open();
    connection_ = AddConnection();
    first_ = connection_.settings.webhook.secret;
  }
  absl::StatusOr<ConnectionStore::Rotated> Rotate(const std::string& secret, absl::Duration overlap,
                                                  const Actor& actor = Actor()) {
    return Change({.id = connection_.id, .secret = Secret(secret), .overlap = overlap}, actor);
  }
  // Replaces the new secret.
  absl::StatusOr<ConnectionStore::Rotated> Again(const std::string& secret,
                                                 std::optional<absl::Duration> overlap = {}) {
    return Change(
        {.id = connection_.id, .secret = Secret(secret), .overlap = overlap, .again = true});
  }
  absl::StatusOr<ConnectionStore::Rotated> Change(const SecretChange& change,
                                                  const Actor& actor = Actor()) {
    return storage_->connections().RotateSecret(change, actor, clock_.Now());
  }
  Connection Now() { return storage_->connections().Get(connection_.id)->connection; }
  std::vector<std::string> Signing() {
    std::vector<std::string> secrets;
    for (const Secret& secret : Now().SigningSecrets(clock_.Now()))
      secrets.push_back(secret.Reveal());
    return secrets;
  }
  Secret first_;
};

TEST_F(RotationTest, BothSecretsCountUntilTheEnd) {
  ASSERT_OK(Rotate("second", absl::Hours(24)).status());
  Reopen();
  EXPECT_THAT(Signing(), ElementsAre("second", first_.Reveal()));
  EXPECT_EQ(Now().HeaderSecret(clock_.Now()), first_);
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(Signing(), ElementsAre("second"));
  EXPECT_EQ(Now().HeaderSecret(clock_.Now()), Secret("second"));
}

TEST_F(RotationTest, WithoutOverlapTheNewOneCountsAtOnce) {
  ASSERT_OK(Rotate("second", absl::ZeroDuration()).status());
  EXPECT_THAT(Signing(), ElementsAre("second"));
  EXPECT_FALSE(Now().rotation.has_value());
}

TEST_F(RotationTest, OnlyOneRunsAtATime) {
  ASSERT_OK(Rotate("second", absl::Hours(24)).status());
  const auto again = Rotate("third", absl::Hours(24));
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Reason(again.status()), "ROTATION_RUNS");
  ASSERT_OK(Rotate("third", absl::ZeroDuration()).status());
  EXPECT_THAT(Signing(), ElementsAre("third"));
}

TEST_F(RotationTest, OneMayFollowWhenTheLastIsOver) {
  ASSERT_OK(Rotate("second", absl::Hours(1)).status());
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Rotate("third", absl::Hours(1)).status());
  EXPECT_THAT(Signing(), ElementsAre("third", "second"));
}

TEST_F(RotationTest, ThePresentSecretEndsARotationAndNothingElse) {
  EXPECT_THAT(Rotate(first_.Reveal(), absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("present")));
  ASSERT_OK(Rotate("second", absl::Hours(24)).status());
  ASSERT_OK(Rotate("second", absl::ZeroDuration()).status());
  EXPECT_THAT(Signing(), ElementsAre("second"));
}

TEST_F(RotationTest, ANewSecretThatNobodyReceivedIsReplacedAndThePreviousOneGoesOn) {
  ASSERT_OK(Rotate("lost", absl::Hours(24)).status());
  const absl::Time end = Now().rotation->until;
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Again("third").status());
  EXPECT_EQ(storage_->events().Read(EventSequence(), 100)->back().detail.reason, "rotated_again");
  Reopen();
  EXPECT_THAT(Signing(), ElementsAre("third", first_.Reveal()));
  EXPECT_EQ(Now().HeaderSecret(clock_.Now()), first_);
  EXPECT_EQ(Now().rotation->until, end);
  clock_.Advance(absl::Hours(23));
  EXPECT_THAT(Signing(), ElementsAre("third"));
}

TEST_F(RotationTest, AReplacementMayMoveTheEnd) {
  ASSERT_OK(Rotate("lost", absl::Hours(1)).status());
  ASSERT_OK(Again("third", absl::Hours(48)).status());
  EXPECT_EQ(Now().rotation->until, clock_.Now() + absl::Hours(48));
}

TEST_F(RotationTest, ThereMustBeANewSecretToReplace) {
  const auto refused = Again("third");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Reason(refused.status()), "NO_ROTATION_RUNS");
  ASSERT_OK(Rotate("second", absl::Hours(1)).status());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Reason(Again("third").status()), "NO_ROTATION_RUNS");
  EXPECT_THAT(Signing(), ElementsAre("second"));
}

TEST_F(RotationTest, AReplacementIsAThirdSecretWithAnOverlap) {
  ASSERT_OK(Rotate("second", absl::Hours(1)).status());
  EXPECT_THAT(Again("second"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("present")));
  EXPECT_THAT(Again(first_.Reveal()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("previous")));
  EXPECT_THAT(Again("third", absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("overlap")));
  EXPECT_THAT(Signing(), ElementsAre("second", first_.Reveal()));
}

TEST_F(RotationTest, RaisesTheVersionAndWantsTheRightOne) {
  const std::int64_t before = Now().version;
  ASSERT_OK(Rotate("second", absl::Hours(1)).status());
  EXPECT_EQ(Now().version, before + 1);
  const SecretChange stale{.id = connection_.id,
                           .expected_version = before,
                           .secret = Secret("third"),
                           .overlap = absl::ZeroDuration()};
  const auto refused = storage_->connections().RotateSecret(stale, kActor, clock_.Now());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Reason(refused.status()), "ETAG_MISMATCH");
}

TEST_F(RotationTest, ARepeatDoesNotRotateAgain) {
  const Actor actor{.token_name = "ops", .request_id = "r-1", .request_digest = "digest"};
  EXPECT_FALSE(Rotate("second", absl::Hours(24), actor)->repeated);
  EXPECT_TRUE(Rotate("third", absl::Hours(24), actor)->repeated);
  EXPECT_THAT(Signing(), ElementsAre("second", first_.Reveal()));
}

TEST_F(RotationTest, ASecretThatIsSetEndsTheRotation) {
  ASSERT_OK(Rotate("second", absl::Hours(24)).status());
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = Now().settings;
  update.changed = {"name"};
  update.settings.name = "renamed";
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  EXPECT_TRUE(Now().rotation.has_value());
  update.settings.webhook.secret = Secret("third");
  update.changed = {"webhook.secret"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  EXPECT_THAT(Signing(), ElementsAre("third"));
}

TEST_F(RotationTest, ThePreviousSecretIsRemovedWhenItIsOver) {
  ASSERT_OK(Rotate("second", absl::Hours(24)).status());
  EXPECT_THAT(storage_->connections().EndRotations(clock_.Now(), 10), IsOkAndHolds(0));
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(storage_->connections().EndRotations(clock_.Now(), 10), IsOkAndHolds(1));
  EXPECT_FALSE(Now().rotation.has_value());
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
  Query query = db->Run("SELECT length(webhook_previous_secret) FROM connection");
  ASSERT_TRUE(query.Next());
  EXPECT_EQ(query.Int(0), 0);
}

TEST_F(RotationTest, BothAreSealed) {
  ASSERT_OK(Rotate("second-canary-secret", absl::Hours(24)).status());
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
  Query query = db->Run("SELECT webhook_secret, webhook_previous_secret FROM connection");
  ASSERT_TRUE(query.Next());
  EXPECT_THAT(query.Text(0), Not(HasSubstr("canary")));
  EXPECT_THAT(query.Text(1), Not(HasSubstr(first_.Reveal())));
  EXPECT_NE(query.Text(1), "");
}

TEST_F(RotationTest, IsAnEventWithoutSecrets) {
  NewEvents();
  const Actor actor{.token_name = "ops", .request_id = "r-1"};
  ASSERT_OK(Rotate("second", absl::Hours(24), actor).status());
  const auto events = *storage_->events().Read(EventSequence(), 100);
  const SyncEvent& event = events.back();
  EXPECT_EQ(event.type, EventType::kConnectionUpdated);
  EXPECT_EQ(event.detail.change, "webhook.secret");
  EXPECT_EQ(event.detail.reason, "rotated");
  EXPECT_EQ(event.detail.actor, "ops");
  EXPECT_EQ(event.detail.request_id, "r-1");
}

class ListOrderTest : public StorageFixture {
 protected:
  ListOrderTest() { Open(); }

  // Names in that order, read two at a time.
  std::vector<std::string> Names(ConnectionOrder order) {
    std::vector<std::string> names;
    ConnectionPlace after;
    while (true) {
      const auto rows = storage_->connections().ListIn(order, after, 2);
      EXPECT_OK(rows.status());
      for (const auto& row : *rows) names.push_back(row.connection.settings.name);
      if (rows->size() < 2) return names;
      after = {rows->back().connection.id, ConnectionKey(order, rows->back())};
    }
  }
};

TEST_F(ListOrderTest, ById) {
  for (const char* name : {"b", "c", "a"}) AddConnection(name);
  EXPECT_THAT(Names(ConnectionOrder::kId), ElementsAre("b", "c", "a"));
}

TEST_F(ListOrderTest, ByName) {
  for (const char* name : {"b", "d", "c", "a"}) AddConnection(name);
  EXPECT_THAT(Names(ConnectionOrder::kName), ElementsAre("a", "b", "c", "d"));
}

TEST_F(ListOrderTest, ByTheLastPollNeverFirst) {
  for (const char* name : {"new", "late", "early", "new too"}) {
    const Connection added = AddConnection(name);
    if (std::string(name).starts_with("new")) continue;
    LastPoll poll;
    poll.at = clock_.Now() + (std::string(name) == "late" ? absl::Hours(1) : absl::ZeroDuration());
    ASSERT_OK(storage_->connections().RecordPoll(added.id, poll, clock_.Now()));
  }
  EXPECT_THAT(Names(ConnectionOrder::kLastPoll), ElementsAre("new", "new too", "early", "late"));
}

TEST_F(ListOrderTest, ByWhoWaitsLongest) {
  for (const char* name : {"idle", "second", "first", "idle too"}) AddConnection(name);
  for (const char* name : {"first", "second"}) {
    connection_ = storage_->connections().GetByName(name)->connection;
    Observe(Seen(1, name));
    clock_.Advance(absl::Minutes(30));
  }
  EXPECT_THAT(Names(ConnectionOrder::kOldestWaiting),
              ElementsAre("first", "second", "idle", "idle too"));
}

TEST_F(ListOrderTest, AnInsertMovesNobodyOntoAnotherPage) {
  for (const char* name : {"b", "d", "f"}) AddConnection(name);
  ASSERT_OK_AND_ASSIGN(const auto first,
                       storage_->connections().ListIn(ConnectionOrder::kName, {}, 2));
  AddConnection("a");
  AddConnection("e");
  const ConnectionPlace after{first.back().connection.id,
                              ConnectionKey(ConnectionOrder::kName, first.back())};
  ASSERT_OK_AND_ASSIGN(const auto rest,
                       storage_->connections().ListIn(ConnectionOrder::kName, after, 5));
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].connection.settings.name, "e");
  EXPECT_EQ(rest[1].connection.settings.name, "f");
}

TEST_F(ListOrderTest, AKeyOfAnotherOrderIsRefused) {
  EXPECT_THAT(
      storage_->connections().ListIn(ConnectionOrder::kLastPoll, {ConnectionId(1), "name"}, 2),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace poller
