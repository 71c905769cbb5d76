// Delivers what the outbox holds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/delivery/backoff.h"
#include "core/http/http_client.h"
#include "core/model/circuit_breaker.h"
#include "core/model/connection.h"
#include "core/storage/connection_store.h"
#include "core/storage/outbox_store.h"

namespace poller {

struct DispatcherOptions {
  int deliveries_per_connection = 8;  // in flight
  int max_attempts = 5;
  BackoffOptions backoff;
  BreakerOptions breaker;
  absl::Duration timeout = absl::Seconds(20);
  absl::Duration gone_probe = absl::Minutes(15);  // after 410
  absl::Duration max_retry_after = absl::Hours(1);
  std::string default_ca_pem;
  std::string user_agent = "odoo-order-poller";
};

// The result of a test call to a receiver.
struct WebhookTest {
  bool ok = false;
  int http_status = 0;
  std::string error;  // safe to show
  absl::Duration duration;
};

// One coroutine a connection: waits for what is due, claims, signs, sends, resolves. Never two in
// flight for one order. Its breaker and Retry-After hold the connection alone. All collaborators
// outlive it. Thread-safe.
class Dispatcher {
 public:
  struct Deps {
    ConnectionStore& connections;
    OutboxStore& outbox;
    HttpClient& http;
    const Clock& clock;
    Sleeper& sleeper;
    RandomSource& random;
    TaskGroup& tasks;
    Executor storage_pool;  // where blocking calls of the stores run
    Logger& log;
    Metrics& metrics;
  };
  Dispatcher(Deps deps, DispatcherOptions options);
  ~Dispatcher();

  // Begins to deliver for a connection; harmless if it is known. Ends by itself when the connection
  // is deleted.
  void Add(ConnectionId id);
  // Something may be due, or settings changed. May be lost without harm. Unknown ids are ignored.
  void Hint(ConnectionId id);
  // Closes the receiver's breaker, ends Retry-After and "gone" holds, and stores that.
  Task<absl::Status> ResetCircuit(ConnectionId id);
  // Posts the signed test body to the receiver of these settings, past the breaker.
  Task<WebhookTest> SendTest(Connection connection);
  // No new claims from now on; requests in flight go on and are resolved. The coroutines end when
  // theirs have: wait for the task group before the collaborators go.
  void Stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the loops
};

}  // namespace poller
