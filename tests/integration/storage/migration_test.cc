// Databases of earlier versions, made by the program of that time (tests/data/storage).
#include <map>

#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/migrations.h"
#include "tests/integration/storage/storage_fixture.h"
#include "tests/support/test_data.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OldDatabaseTest : public StorageFixture {
 protected:
  void OpenCopyOf(const std::string& name) {
    std::filesystem::copy_file(test::TestData() / "storage" / name, Path());
    std::filesystem::permissions(
        Path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    Open();
    ASSERT_OK_AND_ASSIGN(const ConnectionWithState found,
                         storage_->connections().GetByName("first"));
    connection_ = found.connection;
  }
};

// Order 1: revision 1 delivered, revision 2 waits for its second attempt. 2: cannot be mapped.
// 3: baseline. 4: waits. 5: in flight when the program ended.
TEST_F(OldDatabaseTest, Version1GoesOnWhereItStopped) {
  OpenCopyOf("schema_1.db");
  EXPECT_EQ(connection_.settings.odoo.api_key.Reveal(), "odoo-key-of-first");
  const ConnectionState state = State();
  EXPECT_EQ(state.waiting, 3);
  EXPECT_EQ(state.dead, 1);
  EXPECT_NE(state.mark, absl::InfinitePast());
  EXPECT_OK(storage_->tokens().Find(Secret("token-of-version-1-at-least-32-bytes")).status());
  ASSERT_OK_AND_ASSIGN(const auto logs, storage_->sync_logs().List(connection_.id, SyncLogId(), 9));
  EXPECT_THAT(logs, SizeIs(1));

  clock_.Advance(absl::Minutes(1));
  std::map<OrderId, std::string> claimed;
  for (const ClaimedDelivery& claim : Claim()) {
    claimed[claim.order] = claim.event + " " + claim.content + " " + std::to_string(claim.attempt);
    Accept(claim);
  }
  EXPECT_EQ(claimed[OrderId(1)], "order.updated content b 2");
  EXPECT_EQ(claimed[OrderId(4)], "order.confirmed content d 1");
  EXPECT_EQ(claimed[OrderId(5)], "order.confirmed content e 2");
  EXPECT_EQ(State().waiting, 0);
  // The heads still compare.
  EXPECT_EQ(Observe(Seen(5, "e")).unchanged, 1);
  EXPECT_EQ(Observe(Seen(2, "a", 1)).recorded, 1);
  EXPECT_EQ(Head(5)->line_stamps, "") << "not recorded then";
}

TEST_F(OldDatabaseTest, Version1TakesWhatIsNewerThanIt) {
  OpenCopyOf("schema_1.db");
  EXPECT_THAT(storage_->jobs().Unfinished(), IsOkAndHolds(IsEmpty()));
  JobSpec spec;
  spec.connection = connection_.id;
  EXPECT_OK(storage_->jobs().Create(spec, kActor, clock_.Now()).status());
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
  EXPECT_THAT(SchemaVersion(*db), IsOkAndHolds(static_cast<int>(SchemaSteps().size())));
  for (const char* check : {"PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
    Query query = db->Run(check);
    std::vector<std::string> rows;
    while (query.Next()) rows.push_back(query.Text(0));
    if (std::string(check) == "PRAGMA integrity_check") {
      EXPECT_THAT(rows, ElementsAre("ok"));
    } else {
      EXPECT_THAT(rows, IsEmpty());
    }
  }
}

// A step forward gives the same tables as a new database has.
TEST_F(OldDatabaseTest, Version1BecomesWhatANewDatabaseIs) {
  const auto tables = [this] {
    std::vector<std::string> rows;
    const auto db = Database::Open(Path(), Database::Mode::kReadOnly);
    EXPECT_OK(db.status());
    Query query = (*db)->Run(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') "
        "FROM sqlite_master ORDER BY type, name");
    while (query.Next()) rows.push_back(query.Text(0));
    return rows;
  };
  Open();
  storage_.reset();
  const std::vector<std::string> expected = tables();
  std::filesystem::remove(Path());
  OpenCopyOf("schema_1.db");
  storage_.reset();
  EXPECT_EQ(tables(), expected);
}

}  // namespace
}  // namespace poller
