// One pass over one shop.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/model/sync_log.h"
#include "core/polling/order_ingest.h"

namespace poller {

// What a connection's polls remember of one another. Lost at a restart, which the sweep makes up
// for.
struct PassMemory {
  // The orders that the last complete poll listed, by rising id, with their write_date: one that is
  // not listed any more although its write_date lies in the window went back to draft or was
  // deleted.
  std::vector<std::pair<OrderId, std::string>> listed;
  // Orders that seem to be gone, or whose reading decided nothing: looked up by the next poll.
  std::vector<OrderId> suspects;
};

// Which mark a pass moves when it is complete.
enum class PassMark { kPoll, kSweep, kNone };

// What distinguishes a poll from a sweep.
struct WindowPass {
  absl::Time from = absl::InfinitePast();  // the first write_date that is listed
  PassMark moves = PassMark::kPoll;
  std::string kind = "poll";  // of the sync log
};

// One pass, used by one coroutine. Errors: those of Odoo (with their ErrorKind), of the stores, and
// interruptions (pass_verdict.h). What was committed before an error stays; the mark does not move,
// so that the next pass lists it again and the heads drop it.
class PollCycle {
 public:
  // All outlive the cycle. `ingest` is this pass's own; its manner says what becomes of what is
  // found.
  PollCycle(const IngestDeps& deps, const PollingOptions& options, OrderIngest& ingest,
            PassMemory& memory);

  // Begins with the connection, if it has not begun, else polls its window.
  Task<absl::Status> Poll();
  // Lists and compares one window.
  Task<absl::Status> RunWindow(WindowPass pass);
  // Compares the orders whose lines changed since the last line query.
  Task<absl::Status> Lines();

 private:
  using Rows = std::vector<odoo::ListedOrder>;
  using Wanted = std::vector<WantedOrder>;
  struct Progress {
    WindowPass pass;
    OrderId after;
    bool first = true, complete = false;
    std::vector<std::pair<OrderId, std::string>> listed;
  };
  // What a connection records when it begins.
  struct Baseline {
    absl::Time at;  // Odoo's clock
    Rows newest;
    bool seen =
        false;  // `newest` is from the answer that told the time: all of it was there when we began
    OrderId after;
    bool complete = false;
  };
  struct LineProgress {
    absl::Time mark, from;
    std::int64_t after = 0;
    bool first = true, complete = false;
  };

  Task<absl::StatusOr<Wanted>> WindowPage(Progress& progress);
  Task<absl::StatusOr<Wanted>> Compare(Rows rows, bool again);
  Task<absl::Status> Conclude(Progress& progress);
  Task<absl::Status> LookUpSuspects(std::vector<OrderId> suspects);
  Task<absl::StatusOr<Wanted>> LookUpPart(std::vector<OrderId> ids);
  Task<absl::StatusOr<Wanted>> LookUpOneByOne(std::vector<OrderId> ids);
  Task<absl::Status> Start();
  Task<absl::StatusOr<Baseline>> BeginBaseline();
  Task<absl::StatusOr<Wanted>> BaselinePage(Baseline& baseline);
  Task<absl::StatusOr<Wanted>> Unknown(const Baseline& baseline, Rows rows, bool seen);
  Task<absl::StatusOr<Wanted>> LinePage(LineProgress& progress);
  Task<absl::StatusOr<odoo::OrderPage>> List(absl::Time from, OrderId after);
  Task<absl::Status> Finish(IngestBatch last, std::string kind);

  const IngestDeps& deps_;
  const PollingOptions& options_;
  OrderIngest& ingest_;
  PassMemory& memory_;
  Instant began_;
  int page_size_;
};

}  // namespace poller
