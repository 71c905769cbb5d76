// `pollerd import`, and what the server makes of what it brought.
#include "server/commands/import.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/text.h"
#include "server/first_start.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/python_poller_db.h"

namespace poller {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class ImportCommandTest : public ServerFixture {
 protected:
  ImportCommandTest() : python_(Old()) {
    arguments_.from = Old();
    arguments_.fernet_key_file = folder_.path() / "python.key";
    arguments_.yes = true;
    WriteKey(test::kPythonKey);
  }
  std::filesystem::path Old() const { return folder_.path() / "old.db"; }
  void WriteKey(const std::string& key) {
    std::ofstream(arguments_.fernet_key_file) << key << "\n";
    std::filesystem::permissions(
        arguments_.fernet_key_file,
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  static std::string Text(absl::Time time) { return FormatOdooTime(time); }
  // A shop of the simulated Odoo; its last poll was now.
  std::int64_t AddOldShop(test::PythonPollerDb::Row row = {}) {
    row.insert({{"odoo_url", odoo_->Url("")},
                {"webhook_url", hook_->Url("/hook")},
                {"poll_interval_seconds", "3600"},
                {"last_sync_at", Text(SystemClock().Now())}});
    return python_.AddConnection(row);
  }
  absl::Status Import() {
    said_.clear();
    ImportConsole console;
    console.say = [this](const std::string& text) { said_ += text; };
    if (answer_) {
      console.ask = [this](const std::string& question) {
        said_ += question;
        return *answer_;
      };
    }
    return RunImport(arguments_, options_, console, SystemClock(), NullLogger());
  }
  // With tokens of each role, as after a first start.
  void StartServer() {
    Start();
    if (HasFailure()) return;
    const auto list = Call(connections_, &v1::ConnectionService::Stub::ListConnections,
                           v1::ListConnectionsRequest());
    ASSERT_TRUE(list.ok()) << list.status.error_message();
    shops_.assign(list->connections().begin(), list->connections().end());
  }
  void Resume(std::int64_t id) {
    v1::ResumeConnectionRequest request;
    *request.mutable_connection() = Ref(id);
    request.set_scope(v1::PAUSE_SCOPE_BOTH);
    ASSERT_TRUE(Call(connections_, &v1::ConnectionService::Stub::ResumeConnection, request).ok());
  }
  std::vector<std::string> Arrived() const {
    std::vector<std::string> words;
    for (const test::ReceivedOrder& order : receiver_.Orders())
      words.push_back(order.name + " " + order.event);
    return words;
  }
  std::string NameOf(test::RecordId order) { return db_.FindOrder(order)->name; }
  std::string WrittenAt(test::RecordId order) { return Text(db_.FindOrder(order)->write_date); }

  test::PythonPollerDb python_;
  ImportArguments arguments_;
  std::optional<bool> answer_;
  std::string said_;
  std::vector<v1::Connection> shops_;
};

TEST_F(ImportCommandTest, OnlyWhatThePythonPollerDidNotSendArrives) {
  const auto sent = ConfirmOrder();
  const auto edited = ConfirmOrder();
  const auto pending = ConfirmOrder();
  const auto discarded = ConfirmOrder();
  const absl::Time now = SystemClock().Now();
  const std::string before = Text(now - absl::Hours(1));
  const std::int64_t shop = AddOldShop();
  python_.AddSent(shop, sent, WrittenAt(sent), Text(now));
  python_.AddSent(shop, edited, before, before);
  python_.AddRetry(shop, pending, "pending", before, before);
  python_.AddRetry(shop, discarded, "discarded", WrittenAt(discarded), Text(now));
  const auto bytes = test::BytesOf(Old());
  ASSERT_OK(Import());
  EXPECT_TRUE(test::BytesOf(Old()) == bytes) << "the source was touched";
  EXPECT_THAT(said_, HasSubstr("connections: 1, orders that were sent: 2, that wait: 1, that were "
                               "discarded: 1"));

  StartServer();
  ASSERT_EQ(shops_.size(), 1U);
  const v1::Connection& imported = shops_.front();
  EXPECT_EQ(imported.external_id(), "17");
  EXPECT_EQ(imported.interval().seconds(), 3600);
  EXPECT_TRUE(imported.webhook().legacy_secret_header());
  EXPECT_TRUE(imported.paused_polling() && imported.paused_delivery());
  EXPECT_EQ(imported.state().pause_note(), "imported from the Python poller");
  const auto created = ConfirmOrder();
  Resume(imported.id());
  EXPECT_EQ(Shop(imported.id()).state().pause_note(), "");
  EXPECT_EQ(Poll(imported.id()).error(), "");
  EXPECT_TRUE(Accepted(3));
  EXPECT_EQ(Poll(imported.id()).error(), "");
  EXPECT_THAT(Arrived(), UnorderedElementsAre(NameOf(edited) + " order.updated",
                                              NameOf(pending) + " order.updated",
                                              NameOf(created) + " order.confirmed"));
  EXPECT_EQ(Shop(imported.id()).state().waiting_count(), 0);
  EXPECT_EQ(Shop(imported.id()).state().dead_count(), 1);
  EXPECT_EQ(receiver_.Attempts().front().connection_id, "17");

  // What was discarded goes when an operator says so.
  v1::ListRetriesRequest list;
  const auto retries = Call(retries_, &v1::RetryQueueService::Stub::ListRetries, list);
  ASSERT_EQ(retries->deliveries_size(), 1);
  v1::RetryDeliveryRequest retry;
  retry.set_delivery_id(retries->deliveries(0).id());
  EXPECT_TRUE(Call(retries_, &v1::RetryQueueService::Stub::RetryDelivery, retry).ok());
  EXPECT_TRUE(Accepted(4));
  EXPECT_THAT(receiver_.Violations(), IsEmpty());
}

TEST_F(ImportCommandTest, SaysWhatWasDisabledThere) {
  AddOldShop({{"enabled", "0"}});
  ASSERT_OK(Import());
  EXPECT_THAT(said_, HasSubstr("disabled there"));
  StartServer();
  EXPECT_THAT(shops_.at(0).state().pause_note(), HasSubstr("where it was disabled"));
  EXPECT_TRUE(shops_.at(0).paused_polling() && shops_.at(0).paused_delivery());
}

// A young one would take for news what was there before it.
TEST_F(ImportCommandTest, GoesOnAtTheLastSyncUnlessTheConnectionIsYoung) {
  const absl::Time now = SystemClock().Now();
  AddOldShop();
  AddOldShop({{"name", "young"}, {"external_id", "18"}, {"created_at", Text(now)}});
  AddOldShop({{"name", "unused"}, {"external_id", "19"}, {"last_sync_at", ""}});
  ASSERT_OK(Import());
  StartServer();
  ASSERT_EQ(shops_.size(), 3U);
  EXPECT_TRUE(shops_[0].state().has_mark());
  EXPECT_NEAR(static_cast<double>(shops_[0].state().mark().seconds()),
              static_cast<double>(absl::ToUnixSeconds(now)), 60);
  EXPECT_FALSE(shops_[1].state().has_mark());
  EXPECT_FALSE(shops_[2].state().has_mark());
}

TEST_F(ImportCommandTest, ASecondImportDoublesNothing) {
  const std::int64_t shop = AddOldShop();
  python_.AddRetry(shop, 1, "pending", "2026-01-15 10:00:00", "2026-01-15 10:00:00");
  ASSERT_OK(Import());
  ASSERT_OK(Import());
  EXPECT_THAT(said_,
              AllOf(HasSubstr("is here already: left alone"), HasSubstr("nothing to import")));
  AddOldShop({{"name", "second"}, {"external_id", "18"}});
  ASSERT_OK(Import());
  EXPECT_THAT(said_, HasSubstr("imported: connections: 1, orders that were sent: 0, that wait: 0"));
  StartServer();
  ASSERT_EQ(shops_.size(), 2U);
  EXPECT_EQ(shops_[0].state().waiting_count(), 1);
}

TEST_F(ImportCommandTest, WhatWasRenamedHereIsHereAlready) {
  AddOldShop();
  ASSERT_OK(Import());
  python_.Exec("UPDATE connections SET name = 'renamed'");
  ASSERT_OK(Import());
  EXPECT_THAT(said_, HasSubstr("is here already, as shop"));
}

TEST_F(ImportCommandTest, AnotherShopWithTheSameExternalIdIsImported) {
  AddOldShop();
  ASSERT_OK(Import());
  AddOldShop({{"name", "second"}, {"odoo_db", "other"}});
  ASSERT_OK(Import());
  EXPECT_THAT(said_, HasSubstr("imported: connections: 1"));
}

TEST_F(ImportCommandTest, WhatWentOnAfterItsImportIsNotPassedOver) {
  AddOldShop();
  ASSERT_OK(Import());
  const std::string later = Text(SystemClock().Now() + absl::Minutes(2));
  python_.Exec("UPDATE connections SET last_sync_at = '" + later + "'");
  const absl::Status again = Import();
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Message(again), HasSubstr("went on after this was imported"));
}

TEST_F(ImportCommandTest, ADryRunMakesNothing) {
  AddOldShop();
  arguments_.dry_run = true;
  ASSERT_OK(Import());
  EXPECT_THAT(said_, HasSubstr("would import: connections: 1"));
  EXPECT_FALSE(std::filesystem::exists(options_.data_dir));
}

TEST_F(ImportCommandTest, AsksFirst) {
  AddOldShop();
  arguments_.yes = false;
  EXPECT_THAT(Import(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("--yes")));
  answer_ = false;
  EXPECT_THAT(Import(), StatusIs(StatusCode::kCancelled));
  EXPECT_THAT(said_, HasSubstr("Import 1 connection?"));
  EXPECT_FALSE(std::filesystem::exists(options_.data_dir));
  answer_ = true;
  EXPECT_OK(Import());
}

TEST_F(ImportCommandTest, ListsEveryProblemAndMakesNothing) {
  const std::int64_t shop = AddOldShop();
  python_.AddSent(shop, 5, "yesterday", "2026-01-15 10:00:00");
  AddOldShop({{"name", "fast"}, {"poll_interval_seconds", "1"}, {"odoo_url", "shop.example"}});
  AddOldShop({{"name", "123"}, {"last_sync_at", "2999-01-01 00:00:00"}});
  python_.Exec("UPDATE connections SET webhook_secret = 'plain' WHERE name = 'fast'");
  const absl::Status refused = Import();
  EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument));
  const std::string text(Message(refused));
  for (const char* problem :
       {"\"shop\": sent_orders row 1: odoo_write_date", "\"fast\": poll_interval_seconds",
        "\"fast\": odoo_url", "\"fast\": webhook_secret: is no Fernet token", "\"123\": name",
        "\"123\": last_sync_at"}) {
    EXPECT_THAT(text, HasSubstr(problem));
  }
  EXPECT_THAT(text, AllOf(HasSubstr("old.db"), Not(HasSubstr("plain"))));
  EXPECT_FALSE(std::filesystem::exists(options_.data_dir));
}

TEST_F(ImportCommandTest, ANameThatIsTakenIsAProblem) {
  AddOldShop();
  ASSERT_OK(Import());
  python_.Exec("UPDATE connections SET external_id = '99'");
  EXPECT_THAT(Import(), StatusIs(StatusCode::kInvalidArgument,
                                 AllOf(HasSubstr("is taken here"), HasSubstr("\"17\""))));
}

TEST_F(ImportCommandTest, AWrongKeyIsSaidOnceAndShowsNothing) {
  AddOldShop();
  AddOldShop({{"name", "second"}, {"external_id", "18"}});
  WriteKey("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=");
  const std::string text(Message(Import()));
  EXPECT_THAT(
      text, AllOf(HasSubstr("opens none of the secrets"), HasSubstr("POLLER_ENCRYPTION_KEY"),
                  Not(HasSubstr("another key")), Not(HasSubstr("AAAA")), Not(HasSubstr("gAAAA"))));
  WriteKey("no-key");
  EXPECT_THAT(Import(), StatusIs(StatusCode::kInvalidArgument,
                                 AllOf(HasSubstr("python.key"), HasSubstr("line 1"))));
  std::filesystem::remove(arguments_.fernet_key_file);
  EXPECT_THAT(Import(), StatusIs(StatusCode::kNotFound, HasSubstr("--fernet-key-file")));
}

TEST_F(ImportCommandTest, TheKeyMayBeOurs) {
  AddOldShop();
  options_.encryption_key = Secret(test::kPythonKey);
  EXPECT_OK(Import());
  Start();
}

TEST_F(ImportCommandTest, IsRefusedWhilePollerdRuns) {
  AddOldShop();
  Start();
  const absl::Status refused = Import();
  EXPECT_EQ(Reason(refused), "LOCKED");
}

TEST_F(ImportCommandTest, TheSourceIsNoTarget) {
  AddOldShop();
  options_.db_path = Old();
  EXPECT_THAT(Import(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("--db-path")));
}

TEST_F(ImportCommandTest, NoSecretIsInTheDatabaseInClear) {
  const std::int64_t shop = AddOldShop(
      {{"odoo_api_key", "the-key-of-odoo-itself"}, {"webhook_secret", "the-secret-of-the-hook"}});
  python_.AddRetry(shop, 1, "discarded", "2026-01-15 10:00:00", "2026-01-15 10:00:00");
  python_.Exec(
      "UPDATE retry_queue SET last_error = 'refused: the-secret-of-the-hook', "
      "payload = '{\"customer\":\"Ana the customer\"}'");
  ASSERT_OK(Import());
  const auto files = test::BytesOf(options_.DbPath());
  ASSERT_FALSE(files.empty());
  for (const auto& [name, bytes] : files) {
    for (const char* secret : {"the-key-of-odoo-itself", "the-secret-of-the-hook", "gAAAA",
                               "Ana the customer", test::kPythonKey}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << secret << " in " << name;
    }
  }
  EXPECT_THAT(said_, Not(HasSubstr("the-")));
}

}  // namespace
}  // namespace poller
