#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/metrics.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/commands/admin_token.h"
#include "server/commands/check.h"
#include "server/commands/keygen.h"
#include "server/commands/restore.h"
#include "server/files.h"
#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

class StartTest : public ServerFixture {
 protected:
  absl::StatusOr<std::unique_ptr<App>> TryStart() { return App::Start(options_, NullLogger()); }
  static mode_t ModeOf(const fs::path& path) {
    struct stat info{};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  grpc::health::v1::HealthCheckResponse Health(const std::string& service = "") {
    grpc::ClientContext context;
    Prepare(context, "");
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    const auto status =
        grpc::health::v1::Health::NewStub(channel_)->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(StartTest, MakesFolderKeyDatabaseAndTokenForTheOwnerAlone) {
  ASSERT_OK_AND_ASSIGN(const auto app, TryStart());
  EXPECT_EQ(ModeOf(options_.data_dir), 0700u);
  EXPECT_EQ(ModeOf(options_.KeyFile()), 0600u);
  EXPECT_EQ(ModeOf(options_.AdminTokenFile()), 0600u);
  EXPECT_TRUE(fs::exists(options_.DbPath()));
}

TEST_F(StartTest, TheNextStartMakesNothing) {
  ASSERT_OK(TryStart());
  ASSERT_OK_AND_ASSIGN(const Secret key, ReadSmallFile(options_.KeyFile()));
  ASSERT_OK_AND_ASSIGN(const Secret token, ReadSmallFile(options_.AdminTokenFile()));
  ASSERT_OK(TryStart());
  EXPECT_TRUE(key == *ReadSmallFile(options_.KeyFile()));
  EXPECT_TRUE(token == *ReadSmallFile(options_.AdminTokenFile()));
}

TEST_F(StartTest, NamesTheKeyFileThatIsMissing) {
  ASSERT_OK(TryStart());
  fs::remove(options_.KeyFile());
  EXPECT_THAT(TryStart(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr(options_.KeyFile().string())));
  EXPECT_FALSE(fs::exists(options_.KeyFile()));
}

TEST_F(StartTest, RefusesAnotherKey) {
  ASSERT_OK(TryStart());
  options_.encryption_key = Secret(NewKeyLine(SystemRandom()));
  EXPECT_THAT(TryStart(), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(StartTest, RefusesAKeyThatIsNone) {
  options_.encryption_key = Secret("short");
  EXPECT_THAT(TryStart(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("POLLER_ENCRYPTION_KEY")));
  options_.encryption_key = Secret();
  fs::create_directories(options_.data_dir);
  Write(options_.KeyFile(), "short\n");
  EXPECT_THAT(TryStart(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(options_.KeyFile().string())));
}

TEST_F(StartTest, TakesAKeyFromTheEnvironmentAndWritesNone) {
  options_.encryption_key = Secret(NewKeyLine(SystemRandom()));
  ASSERT_OK(TryStart());
  EXPECT_FALSE(fs::exists(options_.KeyFile()));
}

TEST_F(StartTest, RefusesAFileThatIsNotOurs) {
  fs::create_directories(options_.data_dir);
  Write(options_.DbPath(),
        "this is somebody's diary, and it is longer than a header of a database would be");
  Write(options_.KeyFile(), NewKeyLine(SystemRandom()));
  EXPECT_THAT(TryStart(), StatusIs(testing::Ne(absl::StatusCode::kOk), HasSubstr("poller.db")));
}

// Whoever points us at a file that is not ours has no key for it either.
TEST_F(StartTest, SaysWhoseFileItIsBeforeItAsksForAKey) {
  fs::create_directories(options_.data_dir);
  const std::string diary(200, 'x');
  Write(options_.DbPath(), diary);
  EXPECT_THAT(TryStart(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("not a database of this program")));
  EXPECT_THAT(
      RunCheck(options_, NullLogger()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a database of this program")));
  EXPECT_FALSE(fs::exists(options_.KeyFile()));
  EXPECT_EQ(fs::file_size(options_.DbPath()), diary.size());
}

TEST_F(StartTest, OneProcessHoldsADatabase) {
  ASSERT_OK_AND_ASSIGN(const auto first, TryStart());
  EXPECT_THAT(TryStart(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(std::to_string(getpid()))));
}

TEST_F(StartTest, NamesThePortThatIsInUse) {
  ASSERT_OK_AND_ASSIGN(const auto first, TryStart());
  const std::string address = first->addresses().front();
  options_.data_dir = folder_.path() / "other";
  options_.listen = {address};
  EXPECT_THAT(
      TryStart(),
      StatusIs(absl::StatusCode::kUnavailable,
               AllOf(HasSubstr(address),
                     HasSubstr("port " + address.substr(address.rfind(':') + 1) + " is in use"))));
}

TEST_F(StartTest, ServesASocketForTheOwnerAlone) {
  const fs::path socket = folder_.path() / "pollerd.sock";
  options_.listen = {"unix:" + socket.string(), "127.0.0.1:0"};
  Start();
  EXPECT_EQ(app_->addresses().front(), "unix:" + socket.string());
  EXPECT_EQ(ModeOf(socket), 0600u);
  EXPECT_TRUE(
      Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest()).ok());
}

TEST_F(StartTest, SaysThatItServesUntilItDrains) {
  Start();
  for (const char* const service :
       {"", "odoopoller.v1.ConnectionService", "odoopoller.v1.AdminService"}) {
    EXPECT_EQ(Health(service).status(), grpc::health::v1::HealthCheckResponse::SERVING) << service;
  }
  grpc::ClientContext context;
  Prepare(context, "");
  const auto stub = grpc::health::v1::Health::NewStub(channel_);
  const auto watch = stub->Watch(&context, grpc::health::v1::HealthCheckRequest());
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_TRUE(Stop());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
}

TEST_F(StartTest, StopsWhileAReceiverHangs) {
  options_.shutdown_grace = absl::Milliseconds(100);
  Start();
  const v1::Connection shop = AddShop();
  receiver_.SetBehaviour({.kind = test::ReceiverBehaviour::Kind::kHang});
  ConfirmOrder();
  Poll(shop.id());
  ASSERT_TRUE(receiver_.WaitFor([](const auto& s) { return s.attempts >= 1; }, absl::Seconds(20)));
  EXPECT_TRUE(Stop());
  receiver_.ClearBehaviour();
  Start();  // what was cut is delivered
  EXPECT_TRUE(
      receiver_.WaitFor([](const auto& s) { return s.accepted_orders == 1; }, absl::Seconds(20)));
}

TEST_F(StartTest, WaitsForRequestsInFlight) {
  Start();
  const v1::Connection shop = AddShop();
  receiver_.SetBehaviour({.delay = absl::Milliseconds(500)});
  ConfirmOrder();
  Poll(shop.id());
  ASSERT_TRUE(receiver_.WaitFor([](const auto& s) { return s.attempts >= 1; }, absl::Seconds(20)));
  EXPECT_TRUE(Stop());
  receiver_.ClearBehaviour();
  Start();
  EXPECT_EQ(Shop(shop.id()).state().waiting_count(), 0);
  EXPECT_EQ(receiver_.Summary().attempts, 1);
}

TEST_F(StartTest, PollsAndDeliversAgainAfterARestart) {
  Start();
  const v1::Connection shop = AddShop();
  ASSERT_TRUE(Stop());
  ConfirmOrder();
  Start();
  EXPECT_EQ(Poll(shop.id()).error(), "");
  EXPECT_TRUE(
      receiver_.WaitFor([](const auto& s) { return s.accepted_orders == 1; }, absl::Seconds(20)));
}

TEST_F(StartTest, RefusesCertificatesThatAreNone) {
  options_.odoo_ca = folder_.path() / "missing.pem";
  EXPECT_THAT(TryStart(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--odoo-ca")));
  Write(folder_.path() / "ca.pem", "no certificate");
  options_.odoo_ca = folder_.path() / "ca.pem";
  EXPECT_THAT(TryStart(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ca.pem")));
}

TEST_F(StartTest, RefusesATokenFileThatHoldsNone) {
  fs::create_directories(options_.data_dir);
  Write(options_.AdminTokenFile(), "\n");
  EXPECT_THAT(TryStart(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("admin.token")));
}

class AdminTokenTest : public StartTest {
 protected:
  AdminTokenTest() { EXPECT_OK(TryStart().status()); }
  Secret InFile() {
    const auto content = ReadSmallFile(options_.AdminTokenFile());
    EXPECT_OK(content.status());
    return content.ok() ? Secret(content->Reveal().substr(0, content->size() - 1)) : Secret();
  }
  absl::StatusOr<Token> Find(const Secret& token) { return OpenStorage()->tokens().Find(token); }
  bool LetsAnAdminIn(const Secret& token) {
    const auto found = Find(token);
    return found.ok() && found->role == Role::kAdmin;
  }
  // What no call does: the last administrator's token does not count any more.
  void RevokeAll() {
    OpenStorage().reset();  // the log goes into the file
    ASSERT_OK_AND_ASSIGN(const auto db,
                         Database::Open(options_.DbPath(), Database::Mode::kReadWrite));
    ASSERT_OK(db->Exec("UPDATE token SET revoked_at = created_at"));
  }
};

TEST_F(AdminTokenTest, OneThatWasRevokedStaysSoAndTheFileGetsANewOne) {
  const Secret revoked = InFile();
  RevokeAll();
  ASSERT_OK(TryStart().status());
  EXPECT_FALSE(LetsAnAdminIn(revoked));
  EXPECT_TRUE(LetsAnAdminIn(InFile()));
  EXPECT_EQ(ModeOf(options_.AdminTokenFile()), 0600u);
}

TEST_F(AdminTokenTest, ANameThatIsInUseIsNoObstacle) {
  RevokeAll();
  fs::remove(options_.AdminTokenFile());
  ASSERT_OK(OpenStorage()->tokens().Create("admin", Role::kViewer, Secret("a viewer's own token"),
                                           Actor(), SystemClock().Now()));
  ASSERT_OK(TryStart().status());
  EXPECT_TRUE(LetsAnAdminIn(InFile()));
  EXPECT_EQ(Find(InFile())->name, "admin 2");
}

TEST_F(AdminTokenTest, AFileThatItsOwnerRemovedIsNotMadeAgainUnlessAskedFor) {
  const Secret kept = InFile();
  fs::remove(options_.AdminTokenFile());
  ASSERT_OK(TryStart().status());
  EXPECT_FALSE(fs::exists(options_.AdminTokenFile()));
  ASSERT_OK(RunAdminToken(options_, NullLogger()));
  EXPECT_TRUE(LetsAnAdminIn(InFile()));
  EXPECT_TRUE(LetsAnAdminIn(kept));
}

TEST_F(AdminTokenTest, OfAnotherDatabaseIsReplacedWhenAskedFor) {
  const Secret stranger(std::string(40, 's'));
  Write(options_.AdminTokenFile(), stranger.Reveal() + "\n");
  ASSERT_OK(TryStart().status());
  EXPECT_FALSE(LetsAnAdminIn(stranger));
  EXPECT_EQ(InFile(), stranger);
  ASSERT_OK(RunAdminToken(options_, NullLogger()));
  EXPECT_TRUE(LetsAnAdminIn(InFile()));
  EXPECT_FALSE(LetsAnAdminIn(stranger));
}

TEST_F(AdminTokenTest, OneThatIsValidIsNotReplaced) {
  const Secret valid = InFile();
  EXPECT_THAT(RunAdminToken(options_, NullLogger()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("admin.token")));
  EXPECT_EQ(InFile(), valid);
}

TEST_F(AdminTokenTest, IsNotMadeForADatabaseThatRunsOrThatThereIsNot) {
  {
    ASSERT_OK_AND_ASSIGN(const auto running, TryStart());
    fs::remove(options_.AdminTokenFile());
    EXPECT_THAT(RunAdminToken(options_, NullLogger()), StatusIs(absl::StatusCode::kAlreadyExists));
  }
  options_.data_dir = folder_.path() / "another";
  EXPECT_THAT(RunAdminToken(options_, NullLogger()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(options_.data_dir));
}

TEST_F(StartTest, CheckMakesNothing) {
  EXPECT_OK(RunCheck(options_, NullLogger()));
  EXPECT_FALSE(fs::exists(options_.data_dir));
}

TEST_F(StartTest, RestorePutsABackupBackAndTheNextStartRunsOnIt) {
  ASSERT_OK(TryStart());
  const fs::path backup = options_.data_dir / "copy.db";
  ASSERT_OK_AND_ASSIGN(const Secret key, ReadSmallFile(options_.KeyFile()));
  {
    SqliteOptions sqlite;
    sqlite.path = options_.DbPath();
    sqlite.master_keys = key;
    Metrics metrics;
    ASSERT_OK_AND_ASSIGN(const auto storage,
                         SqliteStorage::Open(sqlite, SystemClock(), SystemRandom(), metrics));
    ASSERT_OK(storage->backups().Backup(backup, Actor(), SystemClock().Now()).status());
  }
  EXPECT_THAT(RunRestore(options_.DbPath(), options_, NullLogger()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a backup")));
  {
    ASSERT_OK_AND_ASSIGN(const auto running, TryStart());
    EXPECT_THAT(RunRestore(backup, options_, NullLogger()),
                StatusIs(absl::StatusCode::kAlreadyExists));
  }
  fs::remove(options_.DbPath());
  ASSERT_OK(RunRestore(backup, options_, NullLogger()));
  EXPECT_OK(TryStart());
  fs::rename(backup, options_.DbPath());
  EXPECT_THAT(TryStart(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("pollerd restore")));
}

TEST_F(StartTest, CheckOpensWhatIsThere) {
  ASSERT_OK(TryStart());
  EXPECT_OK(RunCheck(options_, NullLogger()));
  fs::remove(options_.KeyFile());
  EXPECT_THAT(RunCheck(options_, NullLogger()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("encryption.key")));
}

}  // namespace
}  // namespace poller
