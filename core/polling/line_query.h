// Finds orders by their lines: edits of a line often do not move the order's own write_date.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_ingest.h"

namespace poller {

// One query, used by one coroutine. Errors: as those of PollCycle.
class LineQuery {
 public:
  // Both outlive it. The connection has begun.
  LineQuery(const PollingOptions& options, OrderIngest& ingest);

  // Compares the orders whose lines changed since the last query, and moves the line mark.
  Task<absl::Status> Run();
  // The same for lines written since `from`, of which those before the last query's window come
  // late. No mark moves. The window's date is known already.
  Task<absl::Status> Sweep(absl::Time from);

 private:
  struct Progress {
    absl::Time mark, from;
    std::int64_t after = 0;
    bool first = true, complete = false;
    std::string late_before;  // Odoo's text form; empty: nothing is late
  };
  Task<absl::Status> Compare(Progress progress);
  Task<absl::StatusOr<std::vector<WantedOrder>>> Page(Progress& progress);
  Task<absl::StatusOr<odoo::LinePage>> List(const Progress& progress);
  absl::Time Mark() const;

  OrderIngest& ingest_;
  int page_size_;
};

}  // namespace poller
