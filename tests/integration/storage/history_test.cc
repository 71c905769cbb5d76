// Random histories, each compared step by step with the rules written down in memory
// (outbox_model.h).
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "core/base/text.h"
#include "core/storage/sqlite/database.h"
#include "tests/integration/storage/outbox_model.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

constexpr int kOrders = 6;
constexpr int kSteps = 250;

struct Flight {
  ClaimedDelivery claim;
};

class HistoryTest : public StorageFixture, public testing::WithParamInterface<unsigned> {
 protected:
  int Draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(engine_); }
  bool Chance(int percent) { return Draw(100) < percent; }
  OrderId AnyOrder() { return OrderId(1 + Draw(kOrders)); }
  std::string WriteDate() {
    // Mostly new, sometimes the same second or a straggler.
    const int back = Chance(70) ? 0 : Draw(400);
    return FormatOdooTime(clock_.Now() - absl::Seconds(back));
  }
  IngestBatch AnyBatch() {
    IngestBatch batch = Batch();
    batch.send_cancelled = send_cancelled_;
    batch.send_every_touch = send_every_touch_;
    batch.priority = Chance(80) ? DeliveryClass::kLive : DeliveryClass::kHistory;
    const int mode = Draw(10);
    if (mode == 0) batch.mode = IngestMode::kBaseline;
    if (mode == 1) batch.mode = IngestMode::kResend;
    batch.actor = kActor;
    return batch;
  }

  void ObserveSomething() {
    IngestBatch batch = AnyBatch();
    std::set<OrderId> used;
    for (int i = 0; i <= Draw(3); ++i) {
      const OrderId id = AnyOrder();
      if (!used.insert(id).second) continue;
      const int number = static_cast<int>(id.value());
      if (const int kind = Draw(10); kind < 7) {
        Observation order = Seen(number, std::string(1, static_cast<char>('a' + Draw(3))));
        order.write_date = WriteDate();
        batch.orders.push_back(order);
      } else if (kind == 7) {
        UnmappableOrder order = Broken(number, Chance(50) ? "no lines" : "no currency");
        order.write_date = WriteDate();
        batch.unmappable.push_back(order);
      } else {
        CancelledOrder order = Cancelled(number, 0);
        order.write_date = WriteDate();
        batch.cancelled.push_back(order);
      }
    }
    const IngestResult result = Commit(batch);
    Note("commit", {result.recorded, result.unchanged, result.requeued, result.dead,
                    result.cancelled, result.stale});
    for (const Observation& order : batch.orders) model_.Observe(order, batch, clock_.Read());
    for (const UnmappableOrder& order : batch.unmappable) {
      model_.Observe(order, batch, clock_.Read());
    }
    for (const CancelledOrder& order : batch.cancelled) model_.Observe(order, batch);
  }

  void ClaimSomething() {
    const int limit = 1 + Draw(4);
    const bool forced_only = Chance(20);
    const std::vector<ClaimedDelivery> claims = Claim(limit, forced_only);
    const auto expected = model_.Claim(clock_.Read(), limit, forced_only);
    std::vector<std::pair<OrderId, int>> got;
    for (const ClaimedDelivery& claim : claims) {
      got.emplace_back(claim.order, claim.revision);
      Note("claim " + claim.event + " " + claim.webhook_id + " " + claim.content,
           {claim.order.value(), claim.revision, claim.attempt});
      ModelOrder& order = model_.orders().at(claim.order);
      EXPECT_GE(claim.revision, order.newest_started) << "went backwards";
      order.newest_started = std::max(order.newest_started, claim.revision);
      ModelRevision& revision = order.revisions.at(static_cast<std::size_t>(claim.revision - 1));
      EXPECT_EQ(claim.event, revision.event);
      EXPECT_EQ(claim.content, revision.sent);
      EXPECT_EQ(claim.attempt, revision.attempts + 1);
      if (revision.webhook_id.empty()) {
        revision.webhook_id = claim.webhook_id;
        EXPECT_TRUE(ids_.insert(claim.webhook_id).second) << "an id used twice";
      }
      EXPECT_EQ(claim.webhook_id, revision.webhook_id);
      flights_.push_back({claim});
    }
    EXPECT_EQ(got, expected);
  }

  void EndFlight() {
    if (flights_.empty()) return;
    const std::size_t at = static_cast<std::size_t>(Draw(static_cast<int>(flights_.size())));
    const ClaimedDelivery claim = flights_[at].claim;
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(at));
    if (const int kind = Draw(10); kind < 4) {
      Accept(claim);
      model_.Accept(claim.order, claim.revision);
    } else if (kind == 4) {
      Release(claim);
      model_.Release(claim.order, claim.revision, clock_.Read());
    } else {
      DeliveryOutcome outcome;
      outcome.id = claim.id;
      outcome.kind = DeliveryOutcome::Kind::kFailed;
      outcome.attempt.at = clock_.Now();
      outcome.attempt.http_status = kind < 8 ? 500 : 0;
      outcome.attempt.failure = kind < 8 ? "refused" : kind == 8 ? "timeout" : "connect";
      outcome.may_blame_order = kind < 8;
      outcome.max_attempts = 2;
      outcome.retry_after = absl::Seconds(Draw(120));
      ASSERT_OK(storage_->outbox().Resolve(outcome, clock_.Read()).status());
      model_.Fail(claim.order, claim.revision, outcome, clock_.Read());
    }
  }

  void Operate() {
    const OrderId id = AnyOrder();
    const auto found = model_.orders().find(id);
    if (found == model_.orders().end() || found->second.revisions.empty()) return;
    const ModelRevision& newest = found->second.newest();
    const bool open =
        newest.status == DeliveryStatus::kPending || newest.status == DeliveryStatus::kDead;
    const DeliveryId delivery = Head(static_cast<int>(id.value()))->delivery;
    if (Chance(70)) {
      const bool can = open && !newest.in_flight && !newest.content.empty();
      EXPECT_EQ(storage_->outbox().Retry(delivery, kActor, clock_.Read()).ok(), can);
      if (can) model_.Retry(id, clock_.Read());
    } else {
      const bool can = open && !newest.in_flight;
      EXPECT_EQ(storage_->outbox().Discard(delivery, "", kActor, clock_.Now()).ok(), can);
      if (can) model_.Discard(id);
    }
  }

  // The files as a power cut leaves them: nothing that was not flushed, no orderly close.
  void Crash() {
    const std::filesystem::path left = folder_;
    std::string pattern = (std::filesystem::temp_directory_path() / "storage-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    for (const char* name : {"poller.db", "poller.db-wal"}) {
      if (std::filesystem::exists(left / name)) {
        std::filesystem::copy_file(left / name, folder_ / name);
      }
    }
    storage_.reset();
    std::filesystem::remove_all(left);
    Open();
    model_.Restart(clock_.Read());
    flights_.clear();
  }

  void Step() {
    const int kind = Draw(100);
    if (kind < 35) {
      ObserveSomething();
    } else if (kind < 55) {
      ClaimSomething();
    } else if (kind < 80) {
      EndFlight();
    } else if (kind < 87) {
      Operate();
    } else if (kind < 97) {
      clock_.Advance(absl::Seconds(Draw(200)));
    } else if (kind == 97) {
      clock_.JumpWall(absl::Hours(Draw(100) - 50));
    } else {
      Crash();
    }
  }

  void Compare() {
    for (auto& [id, order] : model_.orders()) {
      if (order.revisions.empty()) continue;
      const std::optional<OrderHead> head = Head(static_cast<int>(id.value()));
      ASSERT_TRUE(head.has_value());
      EXPECT_EQ(head->revision, order.newest().revision);
      EXPECT_EQ(head->write_date, order.write_date);
      EXPECT_EQ(head->condition, order.condition);
      EXPECT_EQ(head->status, order.newest().status);
      ASSERT_OK_AND_ASSIGN(const OrderDetails details,
                           storage_->orders().GetOrder(connection_.id, id, ""));
      if (!prune_) {
        ASSERT_EQ(details.revisions.size(), order.revisions.size());
      }
      std::set<int> there;
      for (const DeliveryDetails& revision : details.revisions) {
        const Delivery& got = revision.delivery;
        there.insert(got.revision);
        const ModelRevision& expected =
            order.revisions.at(static_cast<std::size_t>(got.revision - 1));
        EXPECT_EQ(got.status, expected.status) << "order " << id << " revision " << got.revision;
        EXPECT_EQ(got.in_flight, expected.in_flight);
        EXPECT_EQ(got.attempts, expected.attempts + (expected.in_flight ? 1 : 0));
        EXPECT_EQ(got.spent, expected.spent);
      }
      for (const ModelRevision& revision : order.revisions) {
        if (there.contains(revision.revision)) continue;
        EXPECT_NE(&revision, &order.newest());
        EXPECT_NE(revision.status, DeliveryStatus::kPending);
        EXPECT_NE(revision.status, DeliveryStatus::kDead);
      }
    }
    const ConnectionState state = State();
    EXPECT_EQ(state.waiting, model_.Count(DeliveryStatus::kPending));
    EXPECT_EQ(state.dead, model_.Count(DeliveryStatus::kDead));
  }

  // What must hold in the rows themselves, whatever the model says.
  void Recount() {
    ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
    const auto number = [&](std::string_view sql) {
      Query query = db->Run(sql);
      EXPECT_TRUE(query.Next()) << Describe(query.status());
      return query.Int(0);
    };
    EXPECT_EQ(number("SELECT count(*) FROM connection_state s WHERE "
                     "s.waiting <> (SELECT count(*) FROM delivery WHERE status = 0) OR "
                     "s.dead <> (SELECT count(*) FROM delivery WHERE status = 2)"),
              0);
    EXPECT_EQ(number("SELECT count(*) FROM delivery d JOIN head h ON h.order_id = d.order_id "
                     "WHERE h.delivery_id <> d.id AND d.status IN (0, 2) AND d.claimed = 0"),
              0)
        << "an older revision is still open";
    EXPECT_EQ(number("SELECT count(*) FROM delivery WHERE (queue <> 0) <> "
                     "(status = 0 AND claimed = 0)"),
              0)
        << "queued and pending disagree";
    EXPECT_EQ(
        number("SELECT count(*) FROM delivery WHERE id NOT IN (SELECT delivery_id FROM payload)"),
        0);
    Query check = db->Run("PRAGMA integrity_check");
    ASSERT_TRUE(check.Next());
    EXPECT_EQ(check.Text(0), "ok");
  }

  // A line of what was decided or sent.
  void Note(std::string line, std::initializer_list<std::int64_t> numbers) {
    for (const std::int64_t number : numbers) line += " " + std::to_string(number);
    notes_.push_back(std::move(line));
  }

  void PruneSomething() {
    const absl::Time before =
        clock_.Now() - absl::Seconds(std::uniform_int_distribution<int>(0, 300)(prune_engine_));
    const int limit = std::uniform_int_distribution<int>(1, 12)(prune_engine_);
    ASSERT_OK_AND_ASSIGN(const int pruned, storage_->ledger().Prune(before, limit));
    EXPECT_LE(pruned, limit);
    pruned_ += pruned;
  }

  // The history of this seed from the file `start` on; what was decided, sent and logged.
  std::vector<std::string> Replay(const std::string& start, absl::Time at, bool prune) {
    storage_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(Path().string() + suffix);
    }
    std::ofstream(Path(), std::ios::binary) << start;
    clock_.SetWall(at);
    Open();
    engine_.seed(GetParam());
    prune_engine_.seed(GetParam());
    model_ = OutboxModel();
    flights_.clear();
    ids_.clear();
    notes_.clear();
    prune_ = prune;
    for (int step = 0; step < kSteps && !HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", step " + std::to_string(step));
      Step();
      if (prune && std::bernoulli_distribution(0.4)(prune_engine_)) PruneSomething();
      Compare();
    }
    const auto events = storage_->events().Read(EventSequence(), 100'000);
    EXPECT_OK(events.status());
    for (const SyncEvent& event : events.value_or(std::vector<SyncEvent>())) {
      const EventDetail& detail = event.detail;
      Note(Word(event) + " " + detail.event + " " + detail.webhook_id + " " + detail.reason,
           {detail.delivery.value(), detail.attempt});
    }
    return notes_;
  }

  std::mt19937 engine_{GetParam()};
  std::mt19937 prune_engine_;
  bool send_cancelled_ = Chance(50);
  bool send_every_touch_ = Chance(20);
  OutboxModel model_;
  std::vector<Flight> flights_;
  std::set<std::string> ids_;
  std::vector<std::string> notes_;
  bool prune_ = false;
  int pruned_ = 0;
};

TEST_P(HistoryTest, TheStoreDoesWhatTheRulesSay) {
  Open();
  AddConnection();
  for (int step = 0; step < kSteps && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", step " + std::to_string(step));
    Step();
    Compare();
  }
  Recount();
}

TEST_P(HistoryTest, RetentionChangesNothingThatIsDecidedOrSent) {
  Open();
  AddConnection();
  const absl::Time at = clock_.Now();
  storage_.reset();
  std::ifstream file(Path(), std::ios::binary);
  const std::string start{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::vector<std::string> whole = Replay(start, at, /*prune=*/false);
  const std::vector<std::string> pruned = Replay(start, at, /*prune=*/true);
  EXPECT_EQ(pruned, whole) << "seed " << GetParam();
  EXPECT_GT(pruned_, 5);
  Recount();
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryTest, testing::Range(1u, 13u));

}  // namespace
}  // namespace poller
