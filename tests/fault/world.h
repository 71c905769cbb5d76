// The whole product between a simulated Odoo and a receiver, on one thread and a fake clock: a
// history plays in milliseconds, and a seed plays it again.
//
// Real: scheduler, poll cycle, Odoo client, mapper, SQLite, dispatcher. Fake: the network, time,
// chance, and crashes: a crash lets no write and no request through from a chosen write on (see
// CrashSwitch), then everything is built anew on the same file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/async/task_group.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/delivery/dispatcher.h"
#include "core/http/http_client.h"
#include "core/polling/scheduler.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/fault/crash_switch.h"
#include "tests/fault/crashing_stores.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/receiver.h"

namespace poller::test {

// Chances of one exchange, each in [0, 1].
struct NetworkFaults {
  double odoo_unreachable = 0;  // the request does not arrive
  double odoo_answer_lost = 0;
  double receiver_unreachable = 0;
  double receiver_answer_lost = 0;  // handled, but the answer does not arrive
  double receiver_refuses = 0;      // an answer from `statuses`
  std::vector<int> statuses = {500, 503, 429, 400};
};

// Counts requests, to both sides, down to one that goes wrong.
struct RequestSwitch {
  std::int64_t sent = 0;
  std::int64_t fails = 0;  // which of them; 0: none
  bool answer_lost =
      false;  // it is handled, and its answer does not arrive; else it does not arrive
};

class World {
 public:
  struct Options {
    std::uint64_t seed = 1;
    int odoo_version = 17;
    bool send_cancelled = false;
    StartFrom start_from;
    absl::Duration sweep_interval = absl::Minutes(20);
    int page_size = 1000, batch_size = 100;  // as PollingOptions
    absl::Duration odoo_skew;                // of Odoo's web server's clock against its database's
  };
  explicit World(const Options& options);
  ~World();

  // Builds everything on the database file. With `create` also makes the connection.
  void Start(bool create);
  // Takes everything down without letting it write: what a kill -9 leaves.
  void Crash();
  // Makes a job of the connection, as an operator does.
  void StartJob(JobKind kind, bool repair);
  // Stores as a call of the API uses them: what they write may be where the process dies. Those of
  // this run of it.
  ConnectionStore& connections();
  TokenStore& tokens();
  RequestStore& kept_requests();
  // After such a write of the connection.
  void SettingsChanged();
  // Lets time pass; crashes and starts anew when the switch says so.
  void Advance(absl::Duration duration);

  SimDatabase& shop() { return sim_.db("shop"); }
  OdooSim& odoo() { return sim_; }
  WebhookReceiver& receiver() { return receiver_; }
  FakeClock& clock() { return clock_; }
  CrashSwitch& crash() { return crash_; }
  NetworkFaults& faults() { return faults_; }
  RequestSwitch& requests() { return requests_; }
  SqliteStorage& storage() { return *storage_; }
  ConnectionId connection() const { return connection_; }
  int restarts() const { return restarts_; }
  // What must never happen and did: requests after a stored acceptance, and the receiver's own
  // violations.
  std::vector<std::string> Violations() const;

 private:
  class Network;
  struct Running;

  absl::Time OdooNow() const;
  void TakeDown();

  Options options_;
  std::filesystem::path folder_;
  std::mt19937_64 chance_;
  FakeClock clock_;
  FakeRandom random_;
  Metrics metrics_;
  boost::asio::io_context io_;
  FakeSleeper sleeper_{clock_, &io_};
  OdooSim sim_;
  WebhookReceiver receiver_;
  NetworkFaults faults_;
  RequestSwitch requests_;
  CrashSwitch crash_;
  Acceptances accepted_;
  std::vector<std::string> violations_;
  std::unique_ptr<SqliteStorage> storage_;
  std::unique_ptr<Running> running_;
  ConnectionId connection_;
  int restarts_ = 0;
};

}  // namespace poller::test
