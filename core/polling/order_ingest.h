// Reads orders in full and commits them, batch by batch: what every reader of a shop has in common.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/model/connection.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/batch_builder.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/polling_options.h"
#include "core/polling/torn_orders.h"
#include "core/storage/connection_store.h"
#include "core/storage/ingest_store.h"

namespace poller {

// What all passes share. Everything outlives them.
struct IngestDeps {
  ConnectionStore& connections;
  IngestStore& ingest;
  const Clock& clock;
  Executor storage_pool;  // where blocking calls of the stores run
  Logger& log;
  std::function<void(ConnectionId)> committed;  // hint: deliveries may be due
  std::function<bool()> stopping;               // end at the next batch
  std::function<bool()> full;  // there is no room for new orders: begin nothing; may be empty
  bool Full() const { return full && full(); }
};

// One connection as one pass sees it.
struct IngestSubject {
  ConnectionWithState connection;        // as loaded when the pass began
  std::shared_ptr<odoo::Client> client;  // used under the lane alone
  std::shared_ptr<IngestLane> lane;      // of the connection
  std::shared_ptr<IngestLane> turn;      // of its Odoo database
  std::shared_ptr<TornOrders> torn;      // of the client; used under the lane alone
  // Asked before each step; an error ends the pass with it. Empty: nothing speaks against going on.
  std::function<absl::Status()> go_on = nullptr;
};

// What is committed together of what was read together.
struct IngestPortion {
  IngestMode mode = IngestMode::kDeliver;
  BuiltBatch batch;
};

// One pass's way through. Used by one coroutine at a time.
class OrderIngest {
 public:
  // How what is read becomes deliveries.
  struct Manner {
    IngestMode mode = IngestMode::kDeliver;
    DeliveryClass delivery_class = DeliveryClass::kLive;
    LanePriority priority = LanePriority::kPoll;
    bool dry_run = false;  // reads, and commits nothing
    // Sees what was read of these orders, and says what of it is committed, and how. Empty: all, in
    // `mode`.
    std::function<std::vector<IngestPortion>(const std::vector<WantedOrder>&, BuiltBatch)> inspect;
    bool name_orders = false;  // keeps the names of what was read (`read`)
    Actor actor;
  };
  // Both locks that a step holds: no other reader of this connection, and no other call to this
  // Odoo database.
  struct Step {
    Step() = default;
    IngestLane::Guard lane, turn;
  };

  OrderIngest(const IngestDeps& deps, const PollingOptions& options, IngestSubject subject,
              Manner manner);

  // Waits for the turn. Errors: those of GoesOn; there is no room for new orders.
  Task<absl::StatusOr<Step>> Begin();
  // Why the pass ends here; OK: it goes on. Errors: the server stops, or what `go_on` says.
  absl::Status GoesOn() const;
  // Odoo's clock during this pass, once its first answer told it; and when the connection began.
  void SetWindowDate(std::optional<absl::Time> date) { window_.date = date; }
  void SetStarted(absl::Time started) { started_ = started; }
  // From now on.
  void SetMode(IngestMode mode) { manner_.mode = mode; }
  // The pass goes on with another question: what `result` and `undecided` tell begins anew, what
  // was compared already is not counted again.
  void BeginPart(LanePriority priority);
  // `date` if it can be believed (poll_window.h).
  std::optional<absl::Time> Credible(std::optional<absl::Time> date) const;

  // Blocking work of the store, off this thread.
  Task<absl::StatusOr<std::vector<OrderHead>>> Heads(std::vector<OrderId> orders);
  // IngestStore::OpenOrders of the connection.
  Task<absl::StatusOr<std::vector<OrderHead>>> OpenOrders(std::string written_since, OrderId after,
                                                          int limit);
  // Commits in the manner of this pass and counts. Call it in a step. kAborted: the connection was
  // edited (the pass ends, nothing is written); kNotFound: it is gone.
  Task<absl::Status> Commit(IngestBatch batch);
  // A batch with what all of this pass have in common.
  IngestBatch NewBatch() const;

  // The last commit of a complete pass, in a step of its own, with the pass's log row. A pass that
  // found nothing leaves no row. `kind`: of the row.
  Task<absl::Status> Conclude(IngestBatch last, std::string kind);

  // Reads and commits all of `wanted`, in steps, those that come late by themselves. What fails as a whole is halved, down to the order
  // that is to blame, which becomes a dead letter. An error means that the rest was not read.
  Task<absl::Status> ReadAndCommit(std::vector<WantedOrder> wanted);

  const Window& window() const { return window_; }
  absl::Time started() const { return started_; }
  const Connection& connection() const { return subject_.connection.connection; }
  const ConnectionState& state() const { return subject_.connection.state; }
  odoo::Client& client() { return *subject_.client; }
  Logger& log() { return deps_.log; }
  PassResult& result() { return result_; }
  // With Manner::name_orders: the confirmed orders that were read, dead letters too.
  const std::vector<std::pair<OrderId, std::string>>& read() const { return read_; }
  // Orders that an operator asked to deliver again.
  std::int64_t requeued() const { return requeued_; }
  // Orders whose reading decided nothing: not found when they were read, changed meanwhile, or
  // older than what is known. The next poll looks at them again, whether or not it lists them.
  const std::vector<OrderId>& undecided() const { return undecided_; }
  // Of these, since the last call: those that changed while they were read...
  std::vector<OrderId> TakeTorn() { return std::exchange(torn_, {}); }
  // ...and those whose reading was older than what is known (a replica that lags).
  std::vector<OrderId> TakeOutdated() { return std::exchange(outdated_, {}); }
  // This pass has read the order and compared its content. Of a pass that reads a great many orders
  // only the first 20,000 are known.
  bool HasCompared(OrderId order) const { return compared_.contains(order); }

 private:
  using Part = std::vector<WantedOrder>;
  // What the reads of one batch told about its size.
  struct Sizing {
    bool too_much = false, culprit = false;
    std::size_t largest = 0;
  };
  Task<absl::Status> ReadAll(Part wanted);
  Task<absl::Status> ReadBatch(Part batch);
  Task<absl::Status> ReadPart(Part part, std::deque<Part>& rest, Sizing& sizing);
  Task<absl::Status> HandleFailure(absl::Status failure, Part part, std::deque<Part>& rest,
                                   Sizing& sizing);
  Task<absl::Status> BlameOrder(absl::Status failure, odoo::ErrorKind kind, WantedOrder order);
  Task<absl::Status> CheckRights();
  Task<absl::Status> CommitRead(const Part& part, BuiltBatch built,
                                std::optional<absl::Time> read_at);
  Task<absl::Status> CommitBuilt(BuiltBatch built, IngestMode mode,
                                 std::optional<absl::Time> read_at);
  void NoteUndecided(const Part& part, const BuiltBatch& built);
  std::int64_t NoteCompared(const Part& part, const BuiltBatch& built);

  const IngestDeps& deps_;
  const PollingOptions& options_;
  IngestSubject subject_;
  Manner manner_;
  Window window_;
  absl::Time started_;
  std::size_t batch_size_;
  bool rights_checked_ = false;
  Instant began_;
  bool late_ = false;  // what is read now comes late
  PassResult result_;
  std::int64_t requeued_ = 0;
  std::vector<OrderId> undecided_, torn_, outdated_;
  absl::flat_hash_set<OrderId> compared_;
  std::vector<std::pair<OrderId, std::string>> read_;
};

}  // namespace poller
