// What a backlog costs: a receiver that is down while orders go on arriving. Prints the rates of
// the store and the memory beyond that of an idle process, which must not grow with the backlog.
// Fails above kMostResident.
//
//   backlog_bench [ORDERS]     1,000,000 unless given
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"
#include "tests/support/resident.h"

namespace poller::test {
namespace {

// 32 zero bytes but the last, in the form of a Fernet key.
constexpr char kMasterKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr double kMostResident = 80.0 * (1 << 20);  // bytes beyond idle
constexpr int kSmallRun = 100'000;                  // below it, a failure would say little
constexpr int kBatch = 100;                         // orders a page of Odoo's
constexpr int kClaims = 8;                          // claimed together, as the dispatcher does
constexpr int kAnswers = 32;                        // resolved together
constexpr int kContent = 2'000;                     // bytes

class Stopwatch {
 public:
  double Seconds() const { return absl::ToDoubleSeconds(SystemClock().Monotonic() - start_); }

 private:
  const absl::Duration start_ = SystemClock().Monotonic();
};

void PrintRate(const char* what, int count, const Stopwatch& watch) {
  const double seconds = watch.Seconds();
  std::printf("%-28s %9d in %8.2f s: %9.0f/s\n", what, count, seconds, count / seconds);
}

void PrintEach(const char* what, int count, const Stopwatch& watch) {
  std::printf("%-28s %9.3f ms each\n", what, watch.Seconds() * 1000 / count);
}

class Bench {
 public:
  explicit Bench(const std::filesystem::path& folder) : folder_(folder) {
    CryptoInit();
    Open();
    ConnectionSettings settings;
    settings.name = "shop";
    settings.odoo.url = "https://shop.example";
    settings.odoo.database = "shop";
    settings.odoo.username = "bot";
    settings.odoo.api_key = Secret("odoo-key");
    settings.webhook.url = "https://receiver.example/hook";
    settings.webhook.secret = Secret("webhook-secret");
    connection_ = storage_->connections().Create(settings, Actor(), clock_.Now()).value().id;
  }

  void Open() {
    SqliteOptions options;
    options.path = folder_ / "poller.db";
    options.master_keys = Secret(kMasterKey);
    storage_ = SqliteStorage::Open(options, clock_, random_, metrics_).value();
  }
  void Close() { storage_.reset(); }

  // The next `count` orders arrive.
  void Commit(int count) {
    for (int done = 0; done < count;) {
      IngestBatch batch;
      batch.connection = connection_;
      batch.observed_at = clock_.Now();
      batch.overlap = absl::Minutes(5);
      for (int i = 0; i < kBatch && done < count; ++i, ++done) batch.orders.push_back(Next());
      storage_->ingest().Commit(batch, clock_.Now()).value();
      clock_.Advance(absl::Milliseconds(100));
    }
  }

  // Claims as the dispatcher of one connection does.
  std::vector<DeliveryId> Claim(int count) {
    std::vector<DeliveryId> ids;
    while (static_cast<int>(ids.size()) < count) {
      const auto claims =
          storage_->outbox().Claim(connection_, clock_.Read(), kClaims, false).value();
      if (claims.empty()) std::abort();  // a backlog is due
      for (const ClaimedDelivery& claim : claims) ids.push_back(claim.id);
    }
    return ids;
  }
  // Many answers at once, as from the receivers of many connections.
  void Resolve(const std::vector<DeliveryId>& ids, DeliveryOutcome::Kind kind) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kAnswers; ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < ids.size(); at = next++) Resolve(ids[at], kind);
      });
    }
  }

  void NextDue(int times) {
    for (int i = 0; i < times; ++i) {
      storage_->outbox().NextDue(connection_, clock_.Read()).value();
    }
  }
  // Every page of them, as a sweep reads; how many there are.
  int OpenOrders() {
    int count = 0;
    OrderId after;
    while (true) {
      const auto page =
          storage_->ingest().OpenOrders(connection_, "2100-01-01 00:00:00", after, 500).value();
      if (page.empty()) return count;
      count += static_cast<int>(page.size());
      after = page.back().order;
    }
  }

 private:
  Observation Next() {
    ++last_;
    Observation order;
    order.order = OrderId(last_);
    order.name = "S" + std::to_string(last_);
    order.write_date = FormatOdooTime(clock_.Now());
    order.content = std::string(kContent, static_cast<char>('a' + last_ % 26));
    order.content_hash = "1:" + std::to_string(last_);
    return order;
  }
  void Resolve(DeliveryId id, DeliveryOutcome::Kind kind) {
    DeliveryOutcome outcome;
    outcome.id = id;
    outcome.kind = kind;
    outcome.attempt.at = clock_.Now();
    const bool accepted = kind == DeliveryOutcome::Kind::kAccepted;
    outcome.attempt.http_status = accepted ? 200 : 503;
    if (!accepted) outcome.attempt.failure = "refused";
    outcome.retry_after = absl::Minutes(10);
    storage_->outbox().Resolve(outcome, clock_.Read()).value();
  }

  const std::filesystem::path folder_;
  FakeClock clock_;
  FakeRandom random_;
  Metrics metrics_;
  std::unique_ptr<SqliteStorage> storage_;
  ConnectionId connection_;
  int last_ = 0;
};

// Prints what a part of the backlog costs; the most that was resident beyond `idle`.
double Measure(Bench& bench, int orders, double idle) {
  const int some = std::max(orders / 50, kClaims);
  double most = 0;
  const auto note = [&] { most = std::max(most, Resident() - idle); };
  {
    const Stopwatch watch;
    for (int tenth = 0; tenth < 10; ++tenth) {
      bench.Commit(orders / 10);
      note();
    }
    PrintRate("commit, 100 orders a batch", orders, watch);
  }
  for (const auto kind : {DeliveryOutcome::Kind::kFailed, DeliveryOutcome::Kind::kAccepted}) {
    const Stopwatch claiming;
    const std::vector<DeliveryId> ids = bench.Claim(some);
    PrintRate("claim, 8 a call", static_cast<int>(ids.size()), claiming);
    note();
    const Stopwatch resolving;
    bench.Resolve(ids, kind);
    const bool accepted = kind == DeliveryOutcome::Kind::kAccepted;
    PrintRate(accepted ? "accept, 32 at once" : "fail, 32 at once", static_cast<int>(ids.size()),
              resolving);
    note();
  }
  {
    constexpr int kTimes = 1000;
    const Stopwatch watch;
    bench.NextDue(kTimes);
    PrintEach("NextDue", kTimes, watch);
  }
  {
    const Stopwatch watch;
    const int count = bench.OpenOrders();
    PrintRate("OpenOrders, 500 a page", count, watch);
    note();
  }
  bench.Close();
  {
    const Stopwatch watch;
    bench.Open();
    PrintEach("open the file", 1, watch);
    note();
  }
  return most;
}

int Run(int orders) {
  std::string folder = (std::filesystem::temp_directory_path() / "backlog.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  double idle = 0, most = 0;
  {
    Bench bench(folder);
    bench.Commit(kBatch);  // what the first batch alone brings: statements, caches
    bench.Resolve(bench.Claim(kBatch), DeliveryOutcome::Kind::kAccepted);
    idle = Resident();
    most = Measure(bench, orders, idle);
    const double size = static_cast<double>(
        std::filesystem::file_size(std::filesystem::path(folder) / "poller.db"));
    std::printf("idle %.1f MiB; %d orders: +%.1f MiB at most; file %.2f GiB\n", idle / (1 << 20),
                orders, most / (1 << 20), size / (1 << 30));
  }
  std::filesystem::remove_all(folder);
  return orders < kSmallRun || most <= kMostResident ? 0 : 1;
}

}  // namespace
}  // namespace poller::test

int main(int argc, char** argv) {
  return poller::test::Run(argc > 1 ? std::atoi(argv[1]) : 1'000'000);
}
