// Deliveries as rows, and every change of their status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/delivery.h"
#include "core/model/event.h"
#include "core/storage/sqlite/connection_rows.h"
#include "core/storage/sqlite/vault.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// Delivery::reason of a dead one whose stored content does not open.
inline constexpr std::string_view kReasonDamaged = "damaged";

struct DeliveryRow {
  Delivery delivery;
  int generation = 1;
  std::string webhook_connection_id;
  std::string content_hash;
  bool unmappable = false;
  bool before_start = false;
  bool was_baseline = false;
  bool reconfirmed = false;
  int base = 1;
  int ended = 0;  // requests that ended; delivery.attempts counts the one in flight too
  std::optional<std::int64_t> acceptances_seen;
  bool due = false;  // queued, and no wait before it
  bool forced = false;
  bool forced_again = false;
  std::int64_t claimed = 0;  // run; 0: not in flight
  absl::Time claimed_at = absl::InfinitePast();
};

absl::Status NoSuchDelivery(DeliveryId id);
absl::StatusOr<std::optional<DeliveryRow>> FindDelivery(Database& db, DeliveryId id);
// All revisions of an order, newest first.
absl::StatusOr<std::vector<DeliveryRow>> ReadRevisions(Database& db, ConnectionId connection,
                                                       OrderId order, int limit);
// Oldest first; the newest 100.
absl::StatusOr<std::vector<DeliveryAttempt>> ReadAttempts(Database& db, DeliveryId id);

// The sealed content of a delivery; opens only there.
absl::Status WritePayload(Database& db, const Vault& vault, DeliveryId id,
                          const std::string& webhook_id, bool unmappable, std::string_view plain);
absl::StatusOr<std::string> ReadSealedPayload(Database& db, DeliveryId id);
absl::StatusOr<std::string> UnsealPayload(const Vault& vault, const std::string& webhook_id,
                                          bool unmappable, const std::string& sealed);

// The newest delivery of the order, and whether the order is cancelled in Odoo.
struct HeadRef {
  DeliveryId delivery;
  OrderCondition condition = OrderCondition::kConfirmed;
};
absl::StatusOr<HeadRef> FindHead(Database& db, ConnectionId connection, OrderId order);

// Changes statuses within one transaction. Nothing else does, so that counts, queue and events
// agree with the rows. Call Finish at the end.
class DeliveryChanges {
 public:
  DeliveryChanges(Transaction& transaction, const ConnectionRef& connection, absl::Time now)
      : transaction_(transaction), connection_(connection), now_(now) {}

  // Ends being pending or dead: kDelivered, kDead, kSuperseded, kDiscarded or kWithdrawn, with its
  // event. A claim ends too.
  absl::Status End(const DeliveryRow& row, DeliveryStatus status, std::string_view reason,
                   EventDetail detail);
  // Due now, past breaker and backoff, whatever its status was; spent failures are forgotten if it
  // was not pending. In flight: as soon as that fails. Writes its event, unless it is so already.
  absl::Status Force(const DeliveryRow& row, const Actor& actor);
  // Due now, in its turn: past backoff, not past the breaker. For what is pending or dead and not in
  // flight. Writes its event, unless it is so already.
  absl::Status Requeue(const DeliveryRow& row, const Actor& actor);
  // A baseline revision that is owed after all: due now, in its turn. Writes kDeliveryRequeued.
  absl::Status Enqueue(const DeliveryRow& row, DeliveryClass priority, const Actor& actor);
  // An event about the delivery; fills in what every such event says.
  absl::Status Event(const DeliveryRow& row, EventType type, EventDetail detail);
  // A new row has this status.
  void CountNew(DeliveryStatus status) { Count(status, 1); }
  // Stores the counts.
  absl::Status Finish();

 private:
  void Count(DeliveryStatus status, int by);
  // Force and Requeue of what is not in flight.
  absl::Status MakeDue(const DeliveryRow& row, bool forced, const Actor& actor);
  // The event of somebody having asked for it.
  absl::Status Requeued(const DeliveryRow& row, const Actor& actor);
  Transaction& transaction_;
  const ConnectionRef& connection_;
  absl::Time now_;
  std::int64_t waiting_ = 0;
  std::int64_t dead_ = 0;
};

}  // namespace poller
