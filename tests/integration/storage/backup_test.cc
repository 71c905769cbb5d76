// Backups, and what becomes of a database that was restored from one.
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/restore.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

namespace fs = std::filesystem;

class BackupTest : public StorageFixture {
 protected:
  BackupTest() {
    Open();
    AddConnection();
  }
  fs::path BackupPath() const { return folder_ / "copy.db"; }
  fs::path Partial() const { return folder_ / ".copy.db.partial"; }
  absl::StatusOr<BackupInfo> TryBackup() {
    return storage_->backups().Backup(BackupPath(), kActor, clock_.Now());
  }
  void Backup() {
    fs::remove(BackupPath());
    ASSERT_OK(TryBackup().status());
  }
  absl::StatusOr<RestoreReport> TryRestore() {
    storage_.reset();
    RestoreOptions options;
    options.backup = BackupPath();
    options.database = Path();
    options.master_keys = Secret(kMasterKey);
    return RestoreDatabase(options, clock_, SystemRandom());
  }
  RestoreReport Restore() {
    clock_.Advance(absl::Hours(1));
    auto report = TryRestore();
    EXPECT_OK(report.status());
    Open();
    return report.value_or(RestoreReport());
  }
  // What ends the hold.
  void PollAndSweep() {
    IngestBatch batch = Batch();
    batch.mark = clock_.Now();
    batch.sweep_mark = clock_.Now();
    EXPECT_TRUE(Commit(batch).released);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  static std::string Bytes(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

// --- making ---

TEST_F(BackupTest, IsCompletePrivateAndAnEvent) {
  Observe(Seen(1, "a"));
  NewEvents();
  ASSERT_OK_AND_ASSIGN(const BackupInfo info, TryBackup());
  EXPECT_EQ(info.path, BackupPath());
  EXPECT_EQ(info.bytes, static_cast<std::int64_t>(fs::file_size(BackupPath())));
  EXPECT_EQ(info.at, clock_.Now());
  struct stat file;
  ASSERT_EQ(stat(BackupPath().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_THAT(NewEvents(), ElementsAre("backup_made"));
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(BackupPath(), Database::Mode::kReadOnly));
  Query query = db->Run("SELECT count(*) FROM delivery");
  ASSERT_TRUE(query.Next());
  EXPECT_EQ(query.Int(0), 1);
  EXPECT_THAT(Bytes(BackupPath()).find("content a"), std::string::npos) << "sealed";
}

TEST_F(BackupTest, TellsBeforeHowMuchItTakes) {
  for (int order = 1; order <= 200; ++order) Observe(Seen(order, std::string(4000, 'x')));
  ASSERT_OK_AND_ASSIGN(const std::int64_t needed, storage_->backups().NeededBytes());
  ASSERT_OK_AND_ASSIGN(const BackupInfo full, TryBackup());
  EXPECT_GE(needed, full.bytes);
  EXPECT_LE(needed, full.bytes + full.bytes / 4);
  // What was removed takes room in the database, and none in a backup.
  ASSERT_OK(storage_->connections().Delete(connection_.id, /*force=*/true, kActor, clock_.Now()));
  EXPECT_LT(storage_->backups().NeededBytes().value(), needed / 2);
}

TEST_F(BackupTest, DoesNotOverwriteAFile) {
  std::ofstream(BackupPath()) << "mine";
  const absl::Status status = TryBackup().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("copy.db")));
  EXPECT_EQ(Reason(status), "FILE_EXISTS");
  EXPECT_EQ(Bytes(BackupPath()), "mine");
}

TEST_F(BackupTest, AFailureLeavesNoFile) {
  const auto missing = storage_->backups().Backup(folder_ / "no" / "copy.db", kActor, clock_.Now());
  EXPECT_THAT(missing.status(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no/.copy.db")));
  storage_->backups().Stop();
  EXPECT_THAT(TryBackup().status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(fs::exists(BackupPath()));
  EXPECT_FALSE(fs::exists(Partial()));
}

TEST_F(BackupTest, ABackupLeavesOthersOfSimilarNamesAlone) {
  ASSERT_OK(storage_->backups().Backup(BackupPath().string() + ".partial", kActor, clock_.Now()));
  ASSERT_OK(TryBackup().status());
  EXPECT_TRUE(fs::exists(BackupPath().string() + ".partial"));
}

TEST_F(BackupTest, ABackupThatWasCutShortIsBegunAgain) {
  std::ofstream(Partial()) << "half";
  EXPECT_OK(TryBackup().status());
  EXPECT_FALSE(fs::exists(Partial()));
}

TEST_F(BackupTest, OneAtATimeAndOthersWriteMeanwhile) {
  for (int order = 0; order < 3000; order += 100) {
    IngestBatch batch = Batch();
    for (int i = 0; i < 100; ++i)
      batch.orders.push_back(Seen(1 + order + i, std::string(4000, 'x')));
    Commit(batch);
  }
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto info = storage_->backups().Backup(folder_ / ("copy" + std::to_string(i) + ".db"),
                                                   kActor, clock_.Now());
      if (info.ok()) ++made;
      if (Reason(info.status()) == "BACKUP_RUNS") ++refused;
    });
  }
  // Each commit is one row of one table that is in the copy, or is not.
  for (int order = 5000; order < 5050; ++order) Observe(Seen(order, "a"));
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(made, 1);
  EXPECT_EQ(made + refused, 4);
  for (int i = 0; i < 4; ++i) {
    const fs::path copy = folder_ / ("copy" + std::to_string(i) + ".db");
    if (!fs::exists(copy)) continue;
    ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(copy, Database::Mode::kReadOnly));
    Query check = db->Run("PRAGMA integrity_check");
    ASSERT_TRUE(check.Next());
    EXPECT_EQ(check.Text(0), "ok");
    Query counts = db->Run(
        "SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM head), (SELECT count(*) "
        "FROM payload), (SELECT sum(waiting) FROM connection_state)");
    ASSERT_TRUE(counts.Next());
    for (int column = 1; column < 4; ++column) EXPECT_EQ(counts.Int(column), counts.Int(0));
  }
}

TEST_F(BackupTest, AStopEndsACopyThatRuns) {
  for (int order = 0; order < 2000; order += 100) {
    IngestBatch batch = Batch();
    for (int i = 0; i < 100; ++i) batch.orders.push_back(Seen(1 + order + i, "a"));
    Commit(batch);
  }
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
  std::atomic<bool> stop = true;
  db->StopWhen(stop);
  EXPECT_THAT(db->Exec("VACUUM INTO ?1", BackupPath().string()),
              StatusIs(absl::StatusCode::kCancelled));
  stop = false;
  fs::remove(BackupPath());
  EXPECT_OK(db->Exec("VACUUM INTO ?1", BackupPath().string()));
}

TEST_F(BackupTest, NobodyRunsOnABackupByMistake) {
  Backup();
  const std::string before = Bytes(BackupPath());
  SqliteOptions options;
  options.path = BackupPath();
  options.master_keys = Secret(kMasterKey);
  const auto opened = SqliteStorage::Open(options, clock_, SystemRandom(), metrics_);
  EXPECT_THAT(opened.status(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("pollerd restore " + BackupPath().string())));
  EXPECT_EQ(Reason(opened.status()), "IS_BACKUP");
  EXPECT_EQ(Reason(SqliteStorage::CheckOurs(BackupPath())), "IS_BACKUP");
  EXPECT_EQ(Bytes(BackupPath()), before);
}

// --- putting back ---

TEST_F(BackupTest, BringsBackWhatWasThereAndKeepsThePrevious) {
  Observe(Seen(1, "a"));
  Backup();
  const absl::Time made = clock_.Now();
  Observe(Seen(2, "a"));
  const std::string log_id = storage_->events().Range()->log_id;
  NewEvents();
  const RestoreReport report = Restore();
  EXPECT_EQ(report.made, made);
  EXPECT_EQ(report.connections, 1);
  EXPECT_EQ(report.waiting, 1);
  EXPECT_EQ(report.interrupted, 0);
  EXPECT_THAT(report.previous.filename().string(), StartsWith("poller.db.before-restore-"));
  EXPECT_TRUE(Head(1).has_value());
  EXPECT_FALSE(Head(2).has_value());
  EXPECT_EQ(State().held_since, clock_.Now());
  EXPECT_NE(storage_->events().Range()->log_id, log_id);
  EXPECT_THAT(NewEvents(), Contains("restored"));
  storage_.reset();
  // The previous one is whole, and its old place free of leftovers.
  EXPECT_THAT(Files(), SizeIs(4)) << "database, lock, backup, previous";
  SqliteOptions options;
  options.path = report.previous;
  options.master_keys = Secret(kMasterKey);
  ASSERT_OK(TryOpen(options));
  EXPECT_TRUE(Head(2).has_value());
}

TEST_F(BackupTest, NothingStaleGoesOut) {
  Observe(Seen(1, "a"));
  Backup();
  Observe(Seen(1, "b", 1));
  Accept(ClaimOne());
  Restore();
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration());
  Observe(Seen(1, "c", 2));
  PollAndSweep();
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.content, "content c");
  EXPECT_EQ(claim.event, "order.updated") << "the receiver may know the order";
}

TEST_F(BackupTest, WhatWasAcceptedAfterTheBackupGoesOutUnderTheSameIdAndName) {
  Observe(Seen(1, "a"));
  Backup();
  const ClaimedDelivery before = ClaimOne();
  Accept(before);
  Restore();
  Observe(Seen(1, "a"));
  PollAndSweep();
  const ClaimedDelivery after = ClaimOne();
  EXPECT_EQ(after.webhook_id, before.webhook_id);
  EXPECT_EQ(after.event, before.event);
  EXPECT_EQ(after.content, before.content);
}

TEST_F(BackupTest, NumbersAndIdsAreNotGivenOutAgain) {
  Observe(Seen(1, "a"));
  JobSpec spec;
  spec.connection = connection_.id;
  ASSERT_OK_AND_ASSIGN(const Job old_job, storage_->jobs().Create(spec, kActor, clock_.Now()));
  ASSERT_OK(storage_->jobs().Cancel(old_job.id, kActor, clock_.Now()).status());
  Backup();
  // What happened afterwards and is forgotten.
  Observe(Seen(1, "b", 1));
  const std::string forgotten = ClaimOne().webhook_id;
  Observe(Seen(9, "z"));
  const DeliveryId last_delivery = Head(9)->delivery;
  ASSERT_OK_AND_ASSIGN(const Job last_job, storage_->jobs().Create(spec, kActor, clock_.Now()));
  const Connection shop = connection_;
  const Connection last_connection = AddConnection("other");
  const EventSequence last_event = storage_->events().Range()->newest;

  fs::remove(Path().string() + ".lock");
  Restore();
  connection_ = shop;
  Observe(Seen(1, "b", 1));
  EXPECT_GT(Head(1)->revision, 100'000'000) << "seconds since 2020";
  EXPECT_GT(Head(1)->delivery, last_delivery);
  EXPECT_GT(storage_->events().Range()->newest, last_event);
  ASSERT_OK_AND_ASSIGN(const Job job, storage_->jobs().Create(spec, kActor, clock_.Now()));
  EXPECT_GT(job.id, last_job.id);
  EXPECT_NE(Details(Head(1)->delivery).delivery.webhook_id, forgotten);
  EXPECT_GT(AddConnection("another").id, last_connection.id);
  // A new order of a new connection, too: it may be one that was there before.
  Observe(Seen(1, "a"));
  EXPECT_GT(Head(1)->revision, 100'000'000);
}

TEST_F(BackupTest, ASecondRestoreOfTheSameBackupGoesOnAboveTheFirst) {
  Observe(Seen(1, "a"));
  Backup();
  Restore();
  Observe(Seen(1, "b", 1));
  Observe(Seen(1, "c", 2));
  const int revision = Head(1)->revision;
  const DeliveryId delivery = Head(1)->delivery;
  clock_.SetWall(clock_.Now() - absl::Hours(24 * 365));  // a clock that is wrong
  Restore();
  Observe(Seen(1, "d", 3));
  EXPECT_GT(Head(1)->revision, revision);
  EXPECT_GT(Head(1)->delivery, delivery);
}

TEST_F(BackupTest, WhatWasInFlightMayHaveArrived) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery in_flight = ClaimOne();
  Backup();
  EXPECT_EQ(Restore().interrupted, 1);
  PollAndSweep();
  const ClaimedDelivery again = ClaimOne();
  EXPECT_EQ(again.webhook_id, in_flight.webhook_id);
  EXPECT_EQ(again.event, in_flight.event);
  EXPECT_EQ(again.attempt, 2);
}

// After the backup the one in flight was not accepted, so that the next was announced as
// order.confirmed. The backup cannot know: the name changes, and so must the id.
TEST_F(BackupTest, WhatWaitedBehindOneInFlightTakesANewId) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery first = ClaimOne();
  Observe(Seen(1, "b", 1));
  Backup();
  Fail(first, {.http_status = 0, .failure = "connect"});
  const ClaimedDelivery second = ClaimOne();
  EXPECT_EQ(second.event, "order.confirmed");
  Accept(second);
  Restore();
  Observe(Seen(1, "b", 1));
  PollAndSweep();
  const ClaimedDelivery again = ClaimOne();
  EXPECT_EQ(again.content, second.content);
  EXPECT_EQ(again.event, "order.updated");
  EXPECT_NE(again.webhook_id, second.webhook_id);
  EXPECT_GT(again.revision, second.revision);
  Accept(again);
  Observe(Seen(1, "c", 2));
  EXPECT_EQ(ClaimOne().revision, again.revision + 1);
}

TEST_F(BackupTest, AnOrderThatTheBackupDoesNotKnowIsAnUpdate) {
  Backup();
  Observe(Seen(1, "a"));
  Accept(ClaimOne());  // as order.confirmed
  Restore();
  Observe(Seen(1, "a"));
  Observe(Seen(1, "b", 1));  // and the one that takes its place, too
  Observe(Seen(2, "a"));
  PollAndSweep();
  std::vector<std::string> events;
  for (const ClaimedDelivery& claim : Claim()) events.push_back(claim.event);
  EXPECT_THAT(events, ElementsAre("order.updated", "order.updated"));
  Observe(Seen(3, "a"));
  EXPECT_EQ(ClaimOne().event, "order.confirmed") << "found after the hold";
}

TEST_F(BackupTest, ACancelledOrderThatMayHaveBeenDeliveredIsAnnounced) {
  Observe(Seen(1, "a"));
  Backup();
  Restore();
  IngestBatch batch = Batch();
  batch.send_cancelled = true;
  batch.cancelled.push_back(Cancelled(1, 5));
  EXPECT_EQ(Commit(batch).cancelled, 1);
  PollAndSweep();
  EXPECT_EQ(ClaimOne().event, "order.cancelled");
}

TEST_F(BackupTest, WhatWasTakenBackAfterTheBackupIsToldAgain) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Backup();
  Observe(Seen(1, "b", 1));
  const ClaimedDelivery forgotten = ClaimOne();
  Accept(forgotten);
  Restore();
  for (int pass = 0; pass < 2; ++pass) Observe(Seen(1, "a", 2));
  PollAndSweep();
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.content, "content a") << "the receiver holds b";
  EXPECT_GT(claim.revision, forgotten.revision);
  EXPECT_EQ(claim.event, "order.updated");
}

TEST_F(BackupTest, GoesToAnEmptyPlaceToo) {
  Observe(Seen(1, "a"));
  Backup();
  storage_.reset();
  fs::remove(Path());
  EXPECT_EQ(Restore().previous, fs::path());
  EXPECT_TRUE(Head(1).has_value());
}

TEST_F(BackupTest, ATokenThatWasRevokedSinceStaysRevoked) {
  TokenStore& tokens = storage_->tokens();
  const auto create = [&](const char* name) {
    return tokens.Create(name, Role::kAdmin, Secret(name), kActor, clock_.Now())->token.id;
  };
  const TokenId leaked = create("leaked");
  Backup();
  clock_.Advance(absl::Hours(1));
  create("fresh");
  ASSERT_OK(tokens.Revoke(leaked, kActor, clock_.Now()).status());
  EXPECT_EQ(Restore().revoked, 1);
  EXPECT_THAT(storage_->tokens().Find(Secret("leaked")),
              StatusIs(absl::StatusCode::kUnauthenticated));
  // The last administrator is not locked out.
  EXPECT_OK(storage_->tokens().Find(Secret("fresh")).status());
}

TEST_F(BackupTest, ASecretThatWasReplacedSinceDoesNotComeBack) {
  Backup();
  clock_.Advance(absl::Hours(1));
  const SecretChange change{.id = connection_.id,
                            .expected_version = 0,
                            .secret = Secret("second"),
                            .overlap = absl::Hours(24)};
  ASSERT_OK(storage_->connections().RotateSecret(change, kActor, clock_.Now()).status());
  const RestoreReport report = Restore();
  EXPECT_THAT(report.secrets_kept, ElementsAre(connection_.settings.name));
  const Connection restored = storage_->connections().Get(connection_.id)->connection;
  EXPECT_EQ(restored.settings.webhook.secret, Secret("second"));
  ASSERT_TRUE(restored.rotation.has_value());
  EXPECT_EQ(restored.rotation->previous, connection_.settings.webhook.secret);
}

TEST_F(BackupTest, ASecretForAnotherReceiverIsNotTakenOver) {
  Backup();
  clock_.Advance(absl::Hours(1));
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.webhook.url = "https://another.example/hook";
  update.settings.webhook.secret = Secret("second");
  update.changed = {"webhook.url", "webhook.secret"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  EXPECT_THAT(Restore().secrets_old, ElementsAre(connection_.settings.name));
  EXPECT_EQ(storage_->connections().Get(connection_.id)->connection.settings.webhook.secret,
            connection_.settings.webhook.secret);
}

TEST_F(BackupTest, ADamagedDatabaseIsReplacedAndKept) {
  Observe(Seen(1, "a"));
  Backup();
  storage_.reset();
  std::string bytes = Bytes(Path());
  std::fill(bytes.begin() + 100, bytes.end(), '\xee');
  std::ofstream(Path(), std::ios::binary) << bytes;
  const RestoreReport report = Restore();
  EXPECT_EQ(Bytes(report.previous), bytes);
  EXPECT_FALSE(report.previous_read);
  EXPECT_TRUE(Head(1).has_value());
}

TEST_F(BackupTest, WhatIsNoBackupIsRefusedAndNothingChanged) {
  Observe(Seen(1, "a"));
  Backup();
  storage_.reset();
  const std::string database = Bytes(Path());
  const std::string backup = Bytes(BackupPath());
  const auto refused = [&](absl::StatusCode code, const std::string& reason) {
    const absl::Status status = TryRestore().status();
    EXPECT_THAT(status, StatusIs(code, HasSubstr("copy.db")));
    EXPECT_EQ(Reason(status).value_or(""), reason);
    EXPECT_EQ(Bytes(Path()), database);
    EXPECT_THAT(Files(), SizeIs(3)) << "database, lock, the file named";
  };
  std::ofstream(BackupPath(), std::ios::binary) << database;
  refused(absl::StatusCode::kFailedPrecondition, "NOT_A_BACKUP");
  std::ofstream(BackupPath(), std::ios::binary) << "dear diary";
  refused(absl::StatusCode::kFailedPrecondition, "NOT_A_BACKUP");
  std::string damaged = backup;
  std::fill(damaged.end() - 40000, damaged.end(), '\xee');
  std::ofstream(BackupPath(), std::ios::binary) << damaged;
  refused(absl::StatusCode::kDataLoss, "");
}

TEST_F(BackupTest, AnotherKeyALockAndAForeignPlaceAreRefused) {
  Backup();
  RestoreOptions options;
  options.backup = BackupPath();
  options.database = Path();
  options.master_keys = Secret(kMasterKey);
  EXPECT_EQ(Reason(RestoreDatabase(options, clock_, SystemRandom()).status()), "LOCKED");
  storage_.reset();
  options.master_keys = Secret(kOtherKey);
  EXPECT_EQ(Reason(RestoreDatabase(options, clock_, SystemRandom()).status()), "WRONG_KEY");
  options.master_keys = Secret();
  EXPECT_EQ(Reason(RestoreDatabase(options, clock_, SystemRandom()).status()), "NO_KEY");
  options.master_keys = Secret(kMasterKey);
  options.database = folder_ / "diary";
  std::ofstream(options.database) << "dear diary";
  EXPECT_EQ(Reason(RestoreDatabase(options, clock_, SystemRandom()).status()), "NOT_OURS");
  EXPECT_EQ(Bytes(options.database), "dear diary");
  Open();
  EXPECT_EQ(State().held_since, std::nullopt);
}

}  // namespace
}  // namespace poller
