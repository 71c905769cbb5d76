// Polls every connection on its own schedule.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/http/http_client.h"
#include "core/model/circuit_breaker.h"
#include "core/model/connection.h"
#include "core/storage/connection_store.h"
#include "core/storage/ingest_store.h"
#include "core/storage/sync_log_store.h"

namespace poller {

struct PollingOptions {
  absl::Duration overlap = absl::Minutes(5);
  int page_size = 1000;    // rows of a listing
  int batch_size = 100;    // orders read and committed at a time
  int start_newest = 30;   // newest orders recorded as baseline by start_from now
  absl::Duration young = absl::Seconds(3);  // a write_date that close to Odoo's clock is compared again
  absl::Duration suspended_probe = absl::Minutes(15);
  absl::Duration timeout = absl::Seconds(30);
  std::int64_t max_response_bytes = 32 << 20;
  BreakerOptions breaker;
  double interval_jitter = 0.1;
  std::string default_ca_pem;
};

// What one pass did.
struct PassResult {
  std::int64_t listed = 0, recorded = 0, unchanged = 0, dead = 0, cancelled = 0, deferred = 0;
  absl::Duration duration;
};

struct ResendRequest {
  int last = 0;                    // the newest N confirmed orders, or
  std::vector<OrderId> ids;        // these, and
  std::vector<std::string> names;  // these
  bool dry_run = false;            // only find them
};
struct ResendResult {
  std::vector<std::string> found;    // names of the orders that are, or would be, sent
  std::vector<std::string> missing;  // ids or names that Odoo does not have as confirmed orders
  std::int64_t recorded = 0, requeued = 0, dead = 0;
};

// One step of a connection test.
struct TestStep {
  enum class Result { kOk, kFailed, kSkipped };
  std::string name;     // "dns", "tls", "version", "login", "rights", "read", "clocks", "webhook"
  Result result = Result::kSkipped;
  absl::Duration duration;
  std::string detail;   // what was seen
  std::string hint;     // what to do; empty if it is well
};

// One coroutine a connection on the task group. All that reads a connection's Odoo (poll, line query, resend) holds its ingest lane from read to commit.
// All collaborators outlive it. Thread-safe.
class Scheduler {
 public:
  struct Deps {
    ConnectionStore& connections;
    IngestStore& ingest;
    SyncLogStore& sync_logs;
    HttpClient& http;
    const Clock& clock;
    Sleeper& sleeper;
    RandomSource& random;
    TaskGroup& tasks;
    Executor storage_pool;  // where blocking calls of the stores run
    Logger& log;
    Metrics& metrics;
    std::function<void(ConnectionId)> committed;  // hint: deliveries may be due; called on any thread
  };
  Scheduler(Deps deps, PollingOptions options);
  ~Scheduler();

  // Begins to poll a connection, at once, or spread over its interval (`spread`: many at a start). Harmless if it is known. Ends by itself when
  // the connection is deleted.
  void Add(ConnectionId id, bool spread);
  // Settings changed: look again now. Unknown ids are ignored.
  void Refresh(ConnectionId id);
  // One pass now, also when paused, suspended or held by the breaker; waits for a pass that runs. kNotFound; else the error of the pass.
  Task<absl::StatusOr<PassResult>> PollNow(ConnectionId id);
  // Reads the orders again and delivers them, equal ones under their ids. kNotFound: the connection. kFailedPrecondition (reason
  // DELIVERY_IN_FLIGHT...) never: an order in flight is delivered again afterwards if it changed.
  Task<absl::StatusOr<ResendResult>> Resend(ConnectionId id, ResendRequest request, Actor actor);
  // Closes Odoo's breaker and ends a suspension, and stores that; the next pass runs at once.
  Task<absl::Status> ResetCircuit(ConnectionId id, Actor actor);
  // The Odoo side of a connection test, step by step; does not need a stored connection. Records nothing.
  Task<std::vector<TestStep>> TestOdoo(Connection connection);
  // No new passes; those that run end at their next batch. The coroutines end then.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace poller
