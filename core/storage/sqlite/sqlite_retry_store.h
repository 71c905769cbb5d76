// RetryStore on SQLite.
#pragma once

#include "core/storage/retry_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteRetryStore final : public RetryStore {
 public:
  explicit SqliteRetryStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<std::int64_t> Count(const DeliveryFilter& filter) override;
  absl::StatusOr<RetryStep> RetryMany(const DeliveryFilter& filter, DeliveryId after, int limit,
                                      const Actor& actor, const Instant& now) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller
