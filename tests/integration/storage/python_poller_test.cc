// The reader of the Python poller's database.
#include <stdlib.h>

#include <fstream>

#include "core/base/text.h"
#include "core/storage/sqlite/python_poller_file.h"
#include "tests/integration/storage/storage_fixture.h"
#include "tests/support/python_poller_db.h"

namespace poller {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PythonPollerTest : public StorageFixture {
 protected:
  std::filesystem::path Old() const { return folder_ / "old.db"; }
  void Make() {
    python_ = std::make_unique<test::PythonPollerDb>(Old());
    shop_ = python_->AddConnection({});
  }
  // "42 sent 2026-01-15 10:00:00 @2026-01-15T10:00:05.000Z": order, fate, write_date, when it was
  // known.
  std::vector<std::string> Orders() {
    std::vector<std::string> words;
    bad_.clear();
    const auto file = PythonPollerFile::Open(Old());
    EXPECT_OK(file.status());
    if (!file.ok()) return words;
    const auto take = [&](const ImportedOrder& order) {
      const char* fate = order.fate == ImportedOrder::Fate::kSent   ? "sent"
                         : order.fate == ImportedOrder::Fate::kOwed ? "owed"
                                                                    : "given up";
      words.push_back(std::to_string(order.order.value()) + " " + fate + " " + order.write_date +
                      " @" + poller::FormatTime(order.known_at).substr(11, 8));
      return absl::OkStatus();
    };
    EXPECT_OK(
        (*file)->EachOrder(shop_, take, [&](const std::string& what) { bad_.push_back(what); }));
    return words;
  }
  std::unique_ptr<test::PythonPollerDb> python_;
  std::int64_t shop_ = 0;
  std::vector<std::string> bad_;
};

TEST_F(PythonPollerTest, ReadsConnections) {
  Make();
  python_->AddConnection({{"name", "tienda"}, {"enabled", "0"}, {"poll_interval_seconds", "300"}});
  ASSERT_OK_AND_ASSIGN(const auto file, PythonPollerFile::Open(Old()));
  ASSERT_OK_AND_ASSIGN(const auto rows, file->Connections());
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].name, "shop");
  EXPECT_EQ(rows[0].external_id, "17");
  EXPECT_TRUE(rows[0].enabled);
  EXPECT_EQ(rows[0].last_sync_at, "2026-01-15 12:00:00");
  EXPECT_EQ(rows[1].poll_interval_seconds, 300);
  EXPECT_FALSE(rows[1].enabled);
}

TEST_F(PythonPollerTest, TheNewestStateOfAnOrderDecides) {
  Make();
  python_->AddSent(shop_, 1, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 1, "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  // Sent, then edited, and the edit waits.
  python_->AddSent(shop_, 2, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 2, "pending", "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  // Waited, and was sent after an edit.
  python_->AddRetry(shop_, 3, "pending", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 3, "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  // Waits still, but somebody sent that state by hand.
  python_->AddRetry(shop_, 4, "pending", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 4, "2026-01-15 10:00:00", "2026-01-15 10:30:00");
  python_->AddRetry(shop_, 5, "pending", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 5, "discarded", "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  python_->AddRetry(shop_, 6, "discarded", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 6, "pending", "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  EXPECT_THAT(
      Orders(),
      ElementsAre("1 sent 2026-01-15 11:00:00 @11:00:05", "2 owed 2026-01-15 11:00:00 @11:00:05",
                  "3 sent 2026-01-15 11:00:00 @11:00:05", "4 sent 2026-01-15 10:00:00 @10:30:00",
                  "5 given up 2026-01-15 11:00:00 @11:00:05",
                  "6 owed 2026-01-15 11:00:00 @11:00:05"));
  EXPECT_THAT(bad_, IsEmpty());
}

TEST_F(PythonPollerTest, WhatARetrySentWasReadWhenItWasQueued) {
  Make();
  python_->AddRetry(shop_, 1, "sent", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 1, "2026-01-15 10:00:00", "2026-01-15 10:40:00");
  EXPECT_THAT(Orders(), ElementsAre("1 sent 2026-01-15 10:00:00 @10:00:05"));
}

TEST_F(PythonPollerTest, WhatARetrySentIsSentAlthoughTheLedgerDoesNotSayIt) {
  Make();
  python_->AddRetry(shop_, 1, "sent", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 2, "pending", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 2, "sent", "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  python_->AddRetry(shop_, 3, "sent", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 3, "pending", "2026-01-15 11:00:00", "2026-01-15 11:00:05");
  EXPECT_THAT(Orders(), ElementsAre("1 sent 2026-01-15 10:00:00 @10:00:05",
                                    "2 sent 2026-01-15 11:00:00 @11:00:05",
                                    "3 owed 2026-01-15 11:00:00 @11:00:05"));
}

TEST_F(PythonPollerTest, APayloadThatTellsNoTimeWasReadWhenItWasQueued) {
  Make();
  python_->AddRetry(shop_, 1, "discarded", "", "2026-01-15 10:00:05");
  EXPECT_THAT(Orders(), ElementsAre("1 given up 2026-01-15 10:00:05 @10:00:05"));
}

TEST_F(PythonPollerTest, OrdersOfOtherConnectionsAreNotItsOwn) {
  Make();
  python_->AddSent(shop_ + 1, 1, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  EXPECT_THAT(Orders(), IsEmpty());
}

TEST_F(PythonPollerTest, NamesRowsThatItDoesNotUnderstand) {
  Make();
  python_->AddSent(shop_, 1, "yesterday", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 0, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddRetry(shop_, 3, "lost", "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  python_->AddSent(shop_, 4, "2026-01-15T10:00:00.250Z", "2026-01-15 10:00:05.75");
  EXPECT_THAT(Orders(), ElementsAre("4 sent 2026-01-15 10:00:00 @10:00:05"));
  EXPECT_THAT(bad_, ElementsAre(HasSubstr("sent_orders row 2: odoo_order_id"),
                                AllOf(HasSubstr("sent_orders row 1: odoo_write_date"),
                                      HasSubstr("yesterday")),
                                AllOf(HasSubstr("retry_queue row 1: status"), HasSubstr("lost"))));
}

TEST(ParsePythonTimeTest, UnderstandsItsForms) {
  const absl::Time time =
      absl::FromCivil(absl::CivilSecond(2026, 1, 15, 10, 31, 2), absl::UTCTimeZone());
  for (const char* text : {"2026-01-15 10:31:02", "2026-01-15T10:31:02", "2026-01-15T10:31:02Z",
                           "2026-01-15 10:31:02+00:00", "2026-01-15T12:31:02+02:00"}) {
    EXPECT_THAT(ParsePythonTime(text), IsOkAndHolds(time)) << text;
  }
  EXPECT_THAT(ParsePythonTime("2026-01-15 10:31:02.5"),
              IsOkAndHolds(time + absl::Milliseconds(500)));
  for (const char* text : {"", "soon", "2026-01-15 25:00:00", "2026-13-01 00:00:00"}) {
    EXPECT_THAT(ParsePythonTime(text), StatusIs(StatusCode::kInvalidArgument)) << text;
  }
}

TEST_F(PythonPollerTest, RefusesWhatIsNoneAndNamesAllThatIsMissing) {
  EXPECT_THAT(PythonPollerFile::Open(Old()), StatusIs(StatusCode::kNotFound, HasSubstr("old.db")));
  std::ofstream(Old())
      << "this is a text of more than a hundred bytes, which is what the header of "
         "a database takes, and no database";
  EXPECT_THAT(PythonPollerFile::Open(Old()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("old.db")));
  std::filesystem::remove(Old());
  Make();
  python_->Exec("DROP TABLE sent_orders; ALTER TABLE connections DROP COLUMN webhook_secret");
  const auto opened = PythonPollerFile::Open(Old());
  EXPECT_THAT(opened,
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("connections.webhook_secret"), HasSubstr("sent_orders"))));
  EXPECT_EQ(Reason(opened.status()), "NOT_PYTHON_POLLER");
  Open();
  EXPECT_EQ(Reason(PythonPollerFile::Open(Path()).status()), "NOT_PYTHON_POLLER");
}

TEST_F(PythonPollerTest, TouchesNoByte) {
  Make();
  python_->AddSent(shop_, 1, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  const auto before = test::BytesOf(Old());
  EXPECT_THAT(Orders(), SizeIs(1));
  EXPECT_TRUE(test::BytesOf(Old()) == before);
}

// The Python poller was killed: what it committed last is in the WAL alone.
TEST_F(PythonPollerTest, ReadsWhatIsInTheWalAloneAndTouchesNeither) {
  Make();
  python_->Exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  python_->AddSent(shop_, 1, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  const auto before = test::BytesOf(Old());
  ASSERT_FALSE(before.at("old.db-wal").empty());
  const std::filesystem::path temporary = folder_ / "temporary";
  std::filesystem::create_directory(temporary);
  ASSERT_EQ(setenv("TMPDIR", temporary.c_str(), 1), 0);
  EXPECT_THAT(Orders(), SizeIs(1));
  ASSERT_EQ(unsetenv("TMPDIR"), 0);
  EXPECT_TRUE(test::BytesOf(Old()) == before);
  EXPECT_TRUE(std::filesystem::is_empty(temporary)) << "the copy is gone";
}

// It was killed in the middle of a transaction: what the journal holds takes that back.
TEST_F(PythonPollerTest, AHotJournalTakesBackWhatWasNotCommitted) {
  Make();
  python_->Exec("PRAGMA cache_size=1; BEGIN");
  for (int order = 1; order <= 2000; ++order)
    python_->AddSent(shop_, order, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  const std::filesystem::path killed = folder_ / "killed";
  std::filesystem::create_directory(killed);
  for (const auto& [name, bytes] : test::BytesOf(Old()))
    std::ofstream(killed / name, std::ios::binary) << bytes;
  const auto before = test::BytesOf(killed / "old.db");
  ASSERT_FALSE(before.at("old.db-journal").empty());
  ASSERT_OK_AND_ASSIGN(const auto file, PythonPollerFile::Open(killed / "old.db"));
  int orders = 0;
  ASSERT_OK(file->EachOrder(
      shop_, [&](const ImportedOrder&) { return ++orders, absl::OkStatus(); },
      [](const std::string& what) { ADD_FAILURE() << what; }));
  EXPECT_EQ(orders, 0);
  EXPECT_TRUE(test::BytesOf(killed / "old.db") == before);
}

TEST_F(PythonPollerTest, NoticesThatItIsStillWrittenTo) {
  Make();
  ASSERT_OK_AND_ASSIGN(const auto file, PythonPollerFile::Open(Old()));
  EXPECT_OK(file->CheckUnchanged());
  python_->AddSent(shop_, 1, "2026-01-15 10:00:00", "2026-01-15 10:00:05");
  EXPECT_THAT(file->CheckUnchanged(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("stop")));
}

}  // namespace
}  // namespace poller
