#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/storage/sqlite/claim_rows.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/migrations.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class OpenTest : public StorageFixture {
 protected:
  SqliteOptions Options() const {
    SqliteOptions options;
    options.path = Path();
    options.master_keys = Secret(kMasterKey);
    return options;
  }
  static std::string Bytes(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static void Write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  // A database that another program made.
  void MakeForeign(const std::string& sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(Path().c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
  // Open refuses the file with this reason and leaves it and its folder as they were.
  void ExpectUntouched(absl::StatusCode code, const std::string& reason) {
    const std::string before = Bytes(Path());
    const std::vector<std::string> files = Files();
    const absl::Status status = TryOpen(Options());
    EXPECT_THAT(status, StatusIs(code, HasSubstr(Path().string())));
    EXPECT_EQ(Reason(status).value_or(""), reason);
    EXPECT_EQ(Bytes(Path()), before);
    EXPECT_EQ(Files(), files);
  }
};

TEST_F(OpenTest, AMissingFileIsMadeForItsOwnerAlone) {
  EXPECT_TRUE(SqliteStorage::IsNew(Path()));
  Open();
  EXPECT_FALSE(SqliteStorage::IsNew(Path()));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat info;
    ASSERT_EQ(stat((Path().string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(OpenTest, AnEmptyFileIsNew) {
  Write(Path(), "");
  EXPECT_TRUE(SqliteStorage::IsNew(Path()));
  Open();
}

TEST_F(OpenTest, AMissingFileIsNotMadeUnasked) {
  SqliteOptions options = Options();
  options.create = false;
  EXPECT_THAT(TryOpen(options), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(OpenTest, ACleanCloseLeavesOneFileAndItsLock) {
  Open();
  AddConnection();
  storage_.reset();
  EXPECT_THAT(Files(), UnorderedElementsAre("poller.db", "poller.db.lock"));
}

TEST_F(OpenTest, ASecondOpenIsToldWhoHoldsIt) {
  Open();
  const auto second = SqliteStorage::Open(Options(), clock_, SystemRandom(), metrics_);
  EXPECT_THAT(second.status(), StatusIs(absl::StatusCode::kAlreadyExists,
                                        HasSubstr("process " + std::to_string(getpid()))));
  EXPECT_EQ(Reason(second.status()), "LOCKED");
}

TEST_F(OpenTest, ALinkToTheFileDoesNotEscapeTheLock) {
  Open();
  SqliteOptions options = Options();
  options.path = folder_ / "link.db";
  std::filesystem::create_symlink(Path(), options.path);
  EXPECT_THAT(SqliteStorage::Open(options, clock_, SystemRandom(), metrics_).status(),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(OpenTest, AnotherKeyIsRefusedAndTheRightOneNamed) {
  Open();
  AddConnection();
  storage_.reset();
  const std::string before = Bytes(Path());
  SqliteOptions options = Options();
  options.master_keys = Secret(kOtherKey);
  const absl::Status wrong = TryOpen(options);
  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("is needed")));
  EXPECT_EQ(Reason(wrong), "WRONG_KEY");
  options.master_keys = Secret();
  EXPECT_EQ(Reason(TryOpen(options)), "NO_KEY");
  EXPECT_EQ(Bytes(Path()), before);
  options.master_keys = Secret(std::string(kMasterKey) + "\n" + kOtherKey + "\n");
  EXPECT_OK(TryOpen(options));
}

TEST_F(OpenTest, ANewDatabaseNeedsAKey) {
  SqliteOptions options = Options();
  options.master_keys = Secret();
  EXPECT_EQ(Reason(TryOpen(options)), "NO_KEY");
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(OpenTest, AFileThatIsNoDatabaseIsLeftAlone) {
  Write(Path(), "dear diary");
  ExpectUntouched(absl::StatusCode::kFailedPrecondition, "NOT_OURS");
}

TEST_F(OpenTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  MakeForeign("CREATE TABLE bookmarks(id INTEGER)");
  ExpectUntouched(absl::StatusCode::kFailedPrecondition, "NOT_OURS");
}

TEST_F(OpenTest, ThePythonPollersDatabaseIsLeftAloneAndTheImportNamed) {
  MakeForeign(
      "PRAGMA journal_mode=WAL; CREATE TABLE connections(id INTEGER PRIMARY KEY, name TEXT, "
      "odoo_api_key TEXT);"
      "CREATE TABLE sync_logs(id INTEGER PRIMARY KEY); CREATE TABLE retry_queue(id INTEGER PRIMARY "
      "KEY); CREATE TABLE sent_orders(id INTEGER PRIMARY KEY);");
  ExpectUntouched(absl::StatusCode::kFailedPrecondition, "PYTHON_POLLER");
  EXPECT_THAT(TryOpen(Options()), StatusIs(absl::StatusCode::kFailedPrecondition,
                                           HasSubstr("pollerd import --from " + Path().string())));
}

TEST_F(OpenTest, ANewerSchemaIsLeftAlone) {
  Open();
  storage_.reset();
  MakeForeign("PRAGMA user_version = 99");
  ExpectUntouched(absl::StatusCode::kFailedPrecondition, "NEWER_SCHEMA");
}

TEST_F(OpenTest, ADamagedFileIsDataLoss) {
  Open();
  AddConnection();
  storage_.reset();
  std::string bytes = Bytes(Path());
  ASSERT_GT(bytes.size(), 8192u);
  std::fill(bytes.begin() + 100, bytes.end(), '\xee');
  Write(Path(), bytes);
  EXPECT_THAT(TryOpen(Options()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(Path().string())));
}

TEST_F(OpenTest, AFolderIsNoDatabase) {
  std::filesystem::create_directory(Path());
  EXPECT_THAT(TryOpen(Options()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(Path().string())));
}

TEST_F(OpenTest, AMissingFolderIsNamed) {
  SqliteOptions options = Options();
  options.path = folder_ / "no" / "such" / "poller.db";
  EXPECT_THAT(TryOpen(options), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no/such")));
}

TEST_F(OpenTest, ACreationThatWasCutShortIsBegunAgain) {
  Write(Path().string() + ".new", "half a database");
  Write(Path().string() + ".new-journal", "and its journal");
  Open();
  AddConnection();
}

TEST_F(OpenTest, NoSecretStandsInTheFilesInClearText) {
  Open();
  AddConnection();
  Observe(Seen(1, "content-canary"));
  Observe(Broken(2, "no lines"));
  const Secret token("token-canary-of-at-least-32-bytes-of-text");
  ASSERT_OK(storage_->tokens().Create("t", Role::kViewer, token, kActor, clock_.Now()).status());
  for (const char* suffix : {"", "-wal"}) {
    const std::string bytes = Bytes(Path().string() + suffix);
    for (const char* canary :
         {"odoo-key-of-shop", "webhook-secret-of-shop", "content content-canary", "raw record of 2",
          "token-canary", kMasterKey}) {
      EXPECT_THAT(bytes.find(canary), std::string::npos) << canary << " in " << suffix;
    }
  }
}

TEST_F(OpenTest, ASealedValueMovedToAnotherConnectionDoesNotOpen) {
  Open();
  const Connection one = AddConnection("one");
  AddConnection("two");
  storage_.reset();
  MakeForeign(
      "UPDATE connection SET odoo_api_key = (SELECT odoo_api_key FROM connection WHERE name = "
      "'two') "
      "WHERE name = 'one'");
  Open();
  EXPECT_THAT(storage_->connections().Get(one.id), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(storage_->connections().Get(connection_.id).status());
}

TEST_F(OpenTest, ADeliveryWhoseContentIsDamagedHoldsUpNothing) {
  Open();
  AddConnection();
  Observe(Seen(1, "a"));
  Observe(Seen(2, "a"));
  const DeliveryId damaged = Head(1)->delivery;
  storage_.reset();
  MakeForeign("UPDATE payload SET content = x'00' WHERE delivery_id = " +
              std::to_string(damaged.value()));
  Open();
  EXPECT_EQ(ClaimOne().order, OrderId(2));
  EXPECT_EQ(State().dead, 1);
  // Reading the order again brings it back, although its content is the same.
  EXPECT_EQ(Observe(Seen(1, "a")).recorded, 1);
  EXPECT_EQ(ClaimOne().content, "content a");
  EXPECT_EQ(State().dead, 0);
}

// --- schema ---

class MigrationTest : public OpenTest {
 protected:
  std::unique_ptr<Database> Empty() {
    Write(Path(), "");
    auto db = Database::Open(Path(), Database::Mode::kReadWrite);
    EXPECT_OK(db.status());
    return *std::move(db);
  }
};

TEST_F(MigrationTest, AnOlderSchemaIsTakenForwardStepByStep) {
  const auto db = Empty();
  const std::string_view old_steps[] = {"CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('kept')"};
  ASSERT_OK(Migrate(*db, old_steps));
  EXPECT_THAT(SchemaVersion(*db), IsOkAndHolds(1));
  const std::string_view new_steps[] = {old_steps[0], "ALTER TABLE t ADD COLUMN b TEXT",
                                        "UPDATE t SET b = a || '!'"};
  ASSERT_OK(Migrate(*db, new_steps));
  EXPECT_THAT(SchemaVersion(*db), IsOkAndHolds(3));
  Query query = db->Run("SELECT b FROM t");
  ASSERT_TRUE(query.Next());
  EXPECT_EQ(query.Text(0), "kept!");
}

TEST_F(MigrationTest, AStepThatFailsLeavesTheVersionBefore) {
  const auto db = Empty();
  const std::string_view steps[] = {"CREATE TABLE t(a TEXT)", "CREATE TABLE u(a TEXT); nonsense"};
  EXPECT_FALSE(Migrate(*db, steps).ok());
  EXPECT_THAT(SchemaVersion(*db), IsOkAndHolds(1));
  EXPECT_OK(db->Exec("CREATE TABLE u(a TEXT)"));
}

TEST_F(MigrationTest, ANewerVersionIsRefused) {
  const auto db = Empty();
  ASSERT_OK(db->Exec("PRAGMA user_version = 2"));
  const std::string_view steps[] = {"CREATE TABLE t(a TEXT)"};
  const absl::Status status = Migrate(*db, steps);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Reason(status), "NEWER_SCHEMA");
}

TEST_F(MigrationTest, ClaimsAndWaitsAreFoundByIndexAlone) {
  Open();
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadWrite));
  for (const std::string& sql : HotStatements()) {
    const std::string explain = "EXPLAIN QUERY PLAN " + sql;
    Query plan = db->Run(explain);
    std::string text;
    while (plan.Next()) text += plan.Text(3) + "\n";
    EXPECT_THAT(text, Not(HasSubstr("SCAN"))) << sql << "\n" << text;
    EXPECT_THAT(text, Not(HasSubstr("TEMP B-TREE"))) << sql << "\n" << text;
    EXPECT_THAT(text, HasSubstr("INDEX delivery_")) << sql << "\n" << text;
  }
}

TEST_F(MigrationTest, AStartDoesNotReadTheBacklog) {
  Open();
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadWrite));
  for (const std::string& sql : StartStatements()) {
    const std::string explain = "EXPLAIN QUERY PLAN " + sql;
    Query plan = db->Run(explain);
    std::string text;
    while (plan.Next()) text += plan.Text(3) + "\n";
    EXPECT_THAT(text, HasSubstr("INDEX delivery_")) << sql << "\n" << text;
  }
}

// --- writing ---

TEST_F(OpenTest, ManyThreadsWriteAtOnceAndAllOfItIsStored) {
  Open();
  AddConnection();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 25; ++i) {
        Observe(Seen(thread * 1000 + i, "a"));
        // One that fails in the same group hurts nobody.
        EXPECT_FALSE(
            storage_->connections().Create(ShopSettings("shop"), kActor, clock_.Now()).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(State().waiting, 200);
  ASSERT_OK_AND_ASSIGN(const auto events, storage_->events().Read(EventSequence(), 1000));
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].sequence.value(), static_cast<std::int64_t>(i) + 1);
  }
}

TEST_F(OpenTest, AReaderSeesSequencesInOrderWhileOthersWrite) {
  Open();
  AddConnection();
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    EventSequence seen;
    while (!stop) {
      const auto events = storage_->events().Read(seen, 7);
      for (const SyncEvent& event : *events) {
        EXPECT_EQ(event.sequence.value(), seen.value() + 1);
        seen = event.sequence;
      }
    }
  });
  std::vector<std::thread> writers;
  for (int thread = 0; thread < 4; ++thread) {
    writers.emplace_back([this, thread] {
      for (int i = 0; i < 50; ++i) Observe(Seen(thread * 1000 + i, "a"));
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  reader.join();
}

TEST_F(OpenTest, AFullDiskIsUnavailableAndWhatWasStoredStays) {
  Open();
  AddConnection();
  Observe(Seen(1, "a"));
  // A limit on the size of files stands for a full disk: writes past it fail.
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit tight = before;
  tight.rlim_cur = std::filesystem::file_size(Path().string() + "-wal");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  IngestBatch batch = Batch();
  for (int order = 100; order < 200; ++order) batch.orders.push_back(Seen(order, "a"));
  const auto full = storage_->ingest().Commit(batch, clock_.Now());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(full.status(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(Path().string())));
  EXPECT_EQ(State().waiting, 1);
  EXPECT_EQ(Commit(batch).recorded, 100) << "the same batch again";
  EXPECT_EQ(State().waiting, 101);
  Reopen();
  EXPECT_EQ(State().waiting, 101);
}

}  // namespace
}  // namespace poller
