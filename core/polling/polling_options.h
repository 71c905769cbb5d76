// The numbers and results of polling.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/model/circuit_breaker.h"
#include "core/model/ids.h"

namespace poller {

struct PollingOptions {
  absl::Duration overlap = absl::Minutes(5);
  absl::Duration sweep_interval = absl::Hours(1);  // start to start
  absl::Duration sweep_window = absl::Hours(48);   // how far back a sweep looks
  int backlog_limit = 5000;  // deliveries of a connection that wait: its history pauses above that
  int page_size = 1000;      // rows of a listing, orders of a lookup
  int batch_size = 100;      // orders read and committed at a time
  int start_newest = 30;     // newest orders recorded as baseline by start_from now
  absl::Duration young =
      absl::Seconds(3);  // a write_date that close to Odoo's clock is compared again
  absl::Duration suspended_probe = absl::Minutes(15);
  absl::Duration timeout = absl::Seconds(30);
  std::int64_t max_response_bytes = 32 << 20;
  // Calls a second to one Odoo, of connections that have no rate of their own; 0: no limit. Unset: 1
  // for Odoo Online, no limit for others.
  std::optional<double> odoo_rate;
  BreakerOptions breaker;
  double interval_jitter = 0.1;
  std::string default_ca_pem;
};

// Asked between the steps of work that somebody waits for: an error ends it with that error, what was
// committed until then stays. Empty: it goes on.
using StillWanted = std::function<absl::Status()>;

// What one pass did.
struct PassResult {
  std::int64_t listed = 0;     // orders that Odoo named
  std::int64_t recorded = 0;   // new revisions
  std::int64_t unchanged = 0;  // read, equal to what was known before the pass
  std::int64_t dead = 0;       // could not be read or mapped
  std::int64_t cancelled = 0;  // cancelled, back in draft or gone
  std::int64_t deferred = 0;   // changed while they were read: left to the next poll
  std::int64_t late = 0;       // of recorded, dead and cancelled: should have been found before
  absl::Duration duration;

  // Orders with something new.
  std::int64_t Found() const { return recorded + dead + cancelled; }
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
  std::string
      name;  // "dns", "connect", "tls", "version", "login", "rights", "read", "clocks", "webhook"
  Result result = Result::kSkipped;
  absl::Duration duration;
  std::string detail;  // what was seen
  std::string hint;    // what to do; empty if it is well
};

}  // namespace poller
