// A real database in a temporary folder, on a clock that the test moves, and words for what happens
// to orders.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"

namespace poller {

// 32 zero bytes but the last, in the form of a Fernet key.
inline constexpr char kMasterKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
inline constexpr char kOtherKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=";

ConnectionSettings ShopSettings(const std::string& name);
// One word an event: "order_found S1/2" (order and revision) or "poll_failed".
std::string Word(const SyncEvent& event);

class StorageFixture : public testing::Test {
 protected:
  StorageFixture();
  ~StorageFixture() override;

  std::filesystem::path Path() const { return folder_ / "poller.db"; }
  void Open();
  // As after kill -9: the claims of the run before are in the file. (What the process holds in
  // memory never matters.)
  void Reopen();
  absl::Status TryOpen(const SqliteOptions& options);

  Connection AddConnection(const std::string& name = "shop");
  Connection AddConnection(const ConnectionSettings& settings);

  // --- orders; the connection is connection_ ---
  IngestBatch Batch() const;
  // An order whose content is `content`; its hash follows from it. `second` counts write_date up
  // from 10:00:00.
  static Observation Seen(int order, const std::string& content, int second = 0);
  static UnmappableOrder Broken(int order, const std::string& reason, int second = 0);
  static CancelledOrder Cancelled(int order, int second);
  IngestResult Commit(const IngestBatch& batch);
  IngestResult Observe(const Observation& order);
  IngestResult Observe(const CancelledOrder& order);
  IngestResult Observe(const UnmappableOrder& order);
  std::optional<OrderHead> Head(int order);

  // --- deliveries ---
  std::vector<ClaimedDelivery> Claim(int limit = 100, bool forced_only = false);
  // The one delivery that is due; the test fails if there is another number of them.
  ClaimedDelivery ClaimOne();
  Resolution Accept(const ClaimedDelivery& claim);
  struct Failure {
    int http_status = 500;
    std::string failure = "refused";
    bool may_blame = true;
    absl::Duration retry_after = absl::Seconds(30);
    int max_attempts = 5;
  };
  Resolution Fail(const ClaimedDelivery& claim, const Failure& failure);
  Resolution Fail(const ClaimedDelivery& claim) { return Fail(claim, Failure()); }
  Resolution Release(const ClaimedDelivery& claim);
  DeliveryDetails Details(DeliveryId id);
  DeliveryStatus StatusOf(DeliveryId id) { return Details(id).delivery.status; }
  absl::Duration NextDue();
  ConnectionState State();
  // Delivers an order so that it counts as an acceptance.
  void AcceptAnother();

  // Words of the events since the last call.
  std::vector<std::string> NewEvents();

  const Actor kActor{.token_name = "ops", .request_id = ""};
  std::filesystem::path folder_;
  FakeClock clock_;
  Metrics metrics_;
  std::unique_ptr<SqliteStorage> storage_;
  Connection connection_;

 private:
  EventSequence read_;
  int others_ = 900000;
};

}  // namespace poller
