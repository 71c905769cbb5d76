// OutboxStore on SQLite.
#pragma once

#include <string>
#include <vector>

#include "core/storage/outbox_store.h"
#include "core/storage/sqlite/context.h"
#include "core/storage/sqlite/delivery_rows.h"

namespace poller {

class SqliteOutboxStore final : public OutboxStore {
 public:
  explicit SqliteOutboxStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<std::vector<ClaimedDelivery>> Claim(ConnectionId connection, const Instant& now,
                                                     int limit, bool forced_only) override;
  absl::StatusOr<Resolution> Resolve(const DeliveryOutcome& outcome, const Instant& now) override;
  absl::StatusOr<absl::Duration> NextDue(ConnectionId connection, const Instant& now) override;
  absl::StatusOr<std::vector<DeliveryDetails>> ListRetries(const DeliveryFilter& filter,
                                                           DeliveryId before, int limit) override;
  absl::StatusOr<DeliveryDetails> Get(DeliveryId id) override;
  absl::StatusOr<Delivery> Retry(DeliveryId id, const Actor& actor, const Instant& now) override;
  absl::StatusOr<Delivery> Discard(DeliveryId id, const std::string& why, const Actor& actor,
                                   absl::Time now) override;

 private:
  // A claimed delivery whose content cannot be opened: dead, so that it holds up nothing.
  absl::Status Bury(DeliveryId id, const Instant& now);
  const StoreContext& context_;
};

}  // namespace poller
