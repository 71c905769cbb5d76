// What was read from Odoo enters here, and only here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/connection.h"
#include "core/model/delivery.h"
#include "core/model/event.h"
#include "core/model/sync_log.h"

namespace poller {

// One order as it was read and mapped.
struct Observation {
  OrderId order;
  std::string name;
  OrderCondition condition = OrderCondition::kConfirmed;
  std::string write_date;       // from the same answer as the content
  std::string line_write_date;  // newest of its lines; empty: none
  std::string line_stamps;      // see OrderHead
  bool young = false;           // see OrderHead
  std::string content_hash;     // of the normalised order without write_date; carries its version
  // What the webhook's body is made of (orders/payload.h, EncodeContent). Opaque here; sealed at
  // rest.
  std::string content;
  bool confirmed_before_start = false;  // date_order lies before the connection's start
};

// An order that cannot become a webhook: a dead letter with the record as it came.
struct UnmappableOrder {
  OrderId order;
  std::string name;  // as far as it is known
  std::string write_date;
  std::string reason;      // safe to show
  std::string raw_record;  // sealed at rest; cut by the caller
  // Newest of its lines, as far as they were read or a query of lines named them; empty: unknown.
  std::string line_write_date = {};
};

// An order that is cancelled, back in draft, or gone. Its last recorded content stays what it was.
struct CancelledOrder {
  OrderId order;
  std::string write_date;  // empty: gone
  bool young = false;
};

// How orders of a batch become deliveries.
enum class IngestMode {
  kDeliver,   // a changed order is delivered
  kBaseline,  // recorded as known, not delivered; an order that is tracked already is delivered if
              // it changed
  kResend,    // an operator asked: as kDeliver, and an order equal to its head is delivered again
              // under its id, past breaker and backoff if the batch is live, else in its turn
  kBackfill,  // as kDeliver, and an order that is equal to its head and was only baseline is
              // delivered under its id
};

// One transaction's worth.
struct IngestBatch {
  ConnectionId connection;
  // Version of the settings under which this was read; 0: any. What was read under other settings
  // (another Odoo, perhaps) must not be taken for this connection's.
  std::int64_t expected_version = 0;
  IngestMode mode = IngestMode::kDeliver;
  DeliveryClass priority = DeliveryClass::kLive;
  bool send_cancelled = false;  // the connection's settings at this batch
  bool send_every_touch = false;
  absl::Time observed_at;  // Odoo's clock (Date) when the content was read
  // How much older than its head an observation may be and still stand: DESIGN "drops an
  // observation older than the head's".
  absl::Duration overlap;
  std::vector<Observation> orders;
  std::vector<UnmappableOrder> unmappable;
  std::vector<CancelledOrder> cancelled;
  // Set at the end of a complete pass alone.
  std::optional<absl::Time> mark, line_mark, sweep_mark, started;
  bool late_find = false;  // a sweep found these: kLateFind beside kOrderFound
  Actor actor;             // kResend: who asked
  // Written with the batch, when there is something to say. Its counts are those of the pass before
  // this batch; Commit adds the batch's own, and fills in the connection.
  std::optional<SyncLog> log;
};

struct IngestResult {
  int recorded = 0;   // new revisions
  int unchanged = 0;  // equal to their heads
  int requeued = 0;   // kResend: delivered again; kBackfill: delivered after all
  int dead = 0;       // unmappable, new or changed
  int cancelled = 0;  // superseded, withdrawn or announced
  int stale = 0;      // dropped: older than the head
  // The connection was held after a restore, and this batch completed what it waited for: its
  // deliveries may be claimed from now on.
  bool released = false;
};

// Thread-safe. Blocking: call through Offload. The caller holds the connection's ingest lane from
// its read to the commit.
class IngestStore {
 public:
  virtual ~IngestStore() = default;
  // The heads of those of `orders` that have one, in no order.
  virtual absl::StatusOr<std::vector<OrderHead>> Heads(ConnectionId connection,
                                                       const std::vector<OrderId>& orders) = 0;
  // Orders that we hold for confirmed, by rising id greater than `after`, at most `limit`: those
  // written at or after `written_since` (Odoo's text form), and those whose newest revision is
  // pending or dead, whenever written. For the check that they still exist.
  virtual absl::StatusOr<std::vector<OrderHead>> OpenOrders(ConnectionId connection,
                                                            const std::string& written_since,
                                                            OrderId after, int limit) = 0;
  // Every order becomes what DESIGN 3.2 says, all or nothing, with events: a new revision (older
  // ones that are not in flight become superseded, dead ones too), or a note that it was seen
  // unchanged. Repeating a committed batch changes nothing. kUnavailable: busy or disk full, safe
  // to repeat. kNotFound: the connection was deleted. kFailedPrecondition: its version is not
  // `expected_version`; read again. kDataLoss: stop, call a human.
  virtual absl::StatusOr<IngestResult> Commit(const IngestBatch& batch, absl::Time now) = 0;
};

}  // namespace poller
