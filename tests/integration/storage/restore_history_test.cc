// Random histories with backups that are made under load and put back later: what a receiver sees
// stays true over every restore.
#include <map>
#include <random>
#include <thread>

#include "core/base/text.h"
#include "core/storage/sqlite/restore.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

constexpr int kOrders = 5;
constexpr int kSteps = 120;

// An order as it is in Odoo, and what its receiver was told.
struct World {
  int version = 0;  // of its content; 0: not confirmed yet
  bool cancelled = false;
  bool ever_cancelled = false;
  std::string write_date;
  int told_version = 0;  // the newest that was ever sent
  int told_revision = 0;
  std::string kept;  // what the receiver holds: content of the highest revision it accepted
  int kept_revision = 0;
  std::string confirmed_id;  // of the order.confirmed that it accepted
};

class RestoreHistoryTest : public StorageFixture, public testing::WithParamInterface<unsigned> {
 protected:
  int Draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(engine_); }
  bool Chance(int percent) { return Draw(100) < percent; }
  static std::string Content(int order, int version) {
    return "order " + std::to_string(order) + " version " + std::to_string(version);
  }

  // Somebody works in Odoo.
  void Edit() {
    World& order = world_[1 + Draw(kOrders)];
    clock_.Advance(absl::Seconds(1));
    order.write_date = FormatOdooTime(clock_.Now());
    order.cancelled = order.version > 0 && !order.cancelled && Chance(15);
    order.ever_cancelled = order.ever_cancelled || order.cancelled;
    if (!order.cancelled) ++order.version;
  }

  // Reads every order; or some of them, as a pass that is not complete.
  IngestBatch Read(bool complete) {
    IngestBatch batch = Batch();
    batch.send_cancelled = true;
    for (auto& [number, order] : world_) {
      if (order.version == 0 || (!complete && Chance(50))) continue;
      if (order.cancelled) {
        CancelledOrder cancelled = Cancelled(number, 0);
        cancelled.write_date = order.write_date;
        batch.cancelled.push_back(cancelled);
      } else {
        Observation seen = Seen(number, "");
        seen.write_date = order.write_date;
        seen.content = Content(number, order.version);
        seen.content_hash = "1:" + std::to_string(order.version);
        batch.orders.push_back(seen);
      }
    }
    return batch;
  }
  void Poll() {
    const bool complete = Chance(50);
    IngestBatch batch = Read(complete);
    const bool polls = complete && Chance(60);
    if (polls) batch.mark = clock_.Now();
    if (complete && !polls) batch.sweep_mark = clock_.Now();
    polled_ = polled_ || polls;
    swept_ = swept_ || batch.sweep_mark.has_value();
    EXPECT_EQ(Commit(batch).released, held_ && polled_ && swept_);
    held_ = held_ && !(polled_ && swept_);
  }

  void CheckClaim(const ClaimedDelivery& claim) {
    const int number = static_cast<int>(claim.order.value());
    World& order = world_.at(number);
    const std::string said = std::to_string(number) + "/" + std::to_string(claim.revision) + " " +
                             claim.event + ": " + claim.content;
    const auto [known, fresh] = said_.emplace(claim.webhook_id, said);
    EXPECT_EQ(known->second, said) << "an id that was used for something else";
    EXPECT_GE(claim.revision, order.told_revision) << "went backwards: " << said;
    order.told_revision = std::max(order.told_revision, claim.revision);
    if (claim.event == "order.cancelled") return;
    int version = order.told_version;
    while (version <= order.version && Content(number, version) != claim.content) ++version;
    EXPECT_LE(version, order.version) << "stale: " << said << ", told " << order.told_version;
    order.told_version = std::max(order.told_version, version);
    if (claim.event != "order.confirmed" || order.ever_cancelled) return;
    if (!order.confirmed_id.empty()) {
      EXPECT_EQ(order.confirmed_id, claim.webhook_id) << "confirmed a second time";
    }
  }

  void Deliver(bool all) {
    const std::vector<ClaimedDelivery> claims = Claim(all ? 100 : 1 + Draw(3));
    EXPECT_TRUE(!held_ || claims.empty()) << "the hold does not hold";
    for (const ClaimedDelivery& claim : claims) {
      CheckClaim(claim);
      const int kind = all ? 0 : Draw(10);
      World& order = world_.at(static_cast<int>(claim.order.value()));
      if (kind < 5) {
        Receive(order, claim);
        Accept(claim);
      } else if (kind < 7) {
        Fail(claim);
      } else if (kind < 8) {
        Receive(order, claim);  // and the answer is lost
        Fail(claim, {.http_status = 0, .failure = "timeout"});
      } else if (kind < 9) {
        Release(claim);
      }  // else it stays in flight until the next start
    }
  }
  static void Receive(World& order, const ClaimedDelivery& claim) {
    if (claim.event == "order.confirmed") order.confirmed_id = claim.webhook_id;
    if (claim.revision < order.kept_revision) return;  // it remembers
    order.kept_revision = claim.revision;
    order.kept = claim.content;
  }

  void BackUpUnderLoad() {
    const fs::path path = folder_ / ("backup" + std::to_string(backups_.size()) + ".db");
    std::thread copy(
        [&] { EXPECT_OK(storage_->backups().Backup(path, kActor, clock_.Now()).status()); });
    for (int i = 0; i < 4; ++i) {
      Edit();
      Poll();
      Deliver(/*all=*/false);
    }
    copy.join();
    backups_.push_back(path);
  }

  void Restore() {
    if (backups_.empty()) return;
    storage_.reset();
    clock_.Advance(absl::Hours(1));
    if (Chance(30)) {  // the database is lost
      for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(Path().string() + suffix);
    }
    RestoreOptions options;
    options.backup = backups_[static_cast<std::size_t>(Draw(static_cast<int>(backups_.size())))];
    options.database = Path();
    options.master_keys = Secret(kMasterKey);
    const auto report = RestoreDatabase(options, clock_, SystemRandom());
    ASSERT_OK(report.status());
    if (!report->previous.empty()) fs::remove(report->previous);
    Open();
    held_ = true;
    polled_ = swept_ = false;
  }

  void Step() {
    clock_.Advance(absl::Seconds(Draw(60)));
    const int kind = Draw(100);
    if (kind < 30) {
      Edit();
    } else if (kind < 55) {
      Poll();
    } else if (kind < 84) {
      Deliver(/*all=*/false);
    } else if (kind < 88) {
      EXPECT_OK(storage_->ledger().Prune(clock_.Now() - absl::Minutes(Draw(10)), 10).status());
    } else if (kind < 92) {
      BackUpUnderLoad();
    } else if (kind < 97) {
      Restore();
    } else {
      Reopen();
    }
  }

  std::mt19937 engine_{GetParam()};
  std::map<int, World> world_;
  std::map<std::string, std::string> said_;  // by webhook id
  std::vector<fs::path> backups_;
  bool held_ = false, polled_ = false, swept_ = false;
};

TEST_P(RestoreHistoryTest, WhatTheReceiverIsToldStaysTrue) {
  Open();
  AddConnection();
  for (int step = 0; step < kSteps && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", step " + std::to_string(step));
    Step();
  }
  if (HasFailure()) return;
  // Odoo rests, and the receiver takes everything.
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Reopen();
  clock_.Advance(absl::Hours(1));
  IngestBatch batch = Read(/*complete=*/true);
  batch.mark = batch.sweep_mark = clock_.Now();
  Commit(batch);
  held_ = false;
  for (int i = 0; i < 3; ++i) Deliver(/*all=*/true);
  for (const auto& [number, order] : world_) {
    if (order.version == 0 || order.cancelled) continue;
    EXPECT_EQ(order.kept, Content(number, order.version));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestoreHistoryTest, testing::Range(1u, 25u));

}  // namespace
}  // namespace poller
