// What a connection costs that has nothing to do: memory of scheduler, dispatcher and store, after
// each has been polled once. Prints the resident size. Fails above kMostPerConnection.
//
//   idle_connections_bench [CONNECTIONS]     10,000 unless given
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/crypto/hash.h"
#include "core/delivery/dispatcher.h"
#include "core/polling/scheduler.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/integration/polling/sim_http.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/resident.h"

namespace poller::test {
namespace {

// 32 zero bytes but the last, in the form of a Fernet key.
constexpr char kMasterKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr double kMostPerConnection = 32 << 10;  // bytes
constexpr int kSmallRun = 2000;                  // below it, what is not per connection counts most

ConnectionSettings Settings(int number) {
  ConnectionSettings settings;
  settings.name = "shop" + std::to_string(number);
  settings.odoo.url = "https://" + settings.name + ".example";
  settings.odoo.database = "shop1";
  settings.odoo.username = "admin";
  settings.odoo.api_key = Secret("admin-key");
  settings.webhook.url = "https://receiver.example/" + settings.name;
  settings.webhook.secret = Secret("secret-of-" + settings.name);
  return settings;
}

class Bench {
 public:
  explicit Bench(const std::filesystem::path& folder) {
    CryptoInit();
    sim_.AddDatabase("shop1");
    SqliteOptions options;
    options.path = folder / "poller.db";
    options.master_keys = Secret(kMasterKey);
    storage_ = SqliteStorage::Open(options, clock_, random_, metrics_).value();
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Deps{storage_->connections(), storage_->outbox(), http_, clock_, sleeper_,
                         random_, tasks_, io_.get_executor(), NullLogger(), metrics_},
        DispatcherOptions());
    scheduler_ = std::make_unique<Scheduler>(
        Scheduler::Deps{storage_->connections(), storage_->ingest(), storage_->sync_logs(),
                        storage_->jobs(), http_, clock_, sleeper_, random_, tasks_,
                        io_.get_executor(), NullLogger(), metrics_,
                        [this](ConnectionId id) { dispatcher_->Hint(id); }},
        PollingOptions());
  }
  ~Bench() {
    scheduler_->Stop();
    dispatcher_->Stop();
    RunUntilIdle(io_);
  }

  void Begin(int number) {
    const auto made = storage_->connections().Create(Settings(number), Actor(), clock_.Now());
    dispatcher_->Add(made.value().id);
    scheduler_->Add(made.value().id, /*spread=*/false);
    RunUntilIdle(io_);
    calls_ += sim_.Calls().size();
    sim_.ClearCalls();
  }
  std::size_t calls() const { return calls_; }

 private:
  FakeClock clock_;
  boost::asio::io_context io_;
  FakeSleeper sleeper_{clock_, &io_};
  FakeRandom random_;
  Metrics metrics_;
  OdooSim sim_;
  SimHttp http_{[this](const TestRequest& request) { return sim_.Handle(request); },
                [this] { return clock_.Now(); }};
  std::unique_ptr<SqliteStorage> storage_;
  TaskGroup tasks_{io_.get_executor()};
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Scheduler> scheduler_;
  std::size_t calls_ = 0;
};

int Run(int connections) {
  std::string folder =
      (std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                 : std::filesystem::temp_directory_path())
          .string() +
      "/idle.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  double each = 0;
  {
    Bench bench(folder);
    bench.Begin(0);  // what the first one alone brings: statements, caches
    const double before = Resident();
    for (int i = 1; i <= connections; ++i) bench.Begin(i);
    const double after = Resident();
    each = (after - before) / connections;
    std::printf(
        "idle %.1f MiB; %d idle connections, polled once (%zu calls): +%.1f MiB, %.1f KiB each\n",
        before / (1 << 20), connections, bench.calls(), (after - before) / (1 << 20), each / 1024);
  }
  std::filesystem::remove_all(folder);
  return connections < kSmallRun || each <= kMostPerConnection ? 0 : 1;
}

}  // namespace
}  // namespace poller::test

int main(int argc, char** argv) {
  return poller::test::Run(argc > 1 ? std::atoi(argv[1]) : 10'000);
}
