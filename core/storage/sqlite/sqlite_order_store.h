// OrderStore on SQLite.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/storage/outbox_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteOrderStore final : public OrderStore {
 public:
  explicit SqliteOrderStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<std::vector<OrderSummary>> ListOrders(std::optional<ConnectionId> connection,
                                                       const std::string& name_prefix,
                                                       DeliveryId before, int limit) override;
  absl::StatusOr<OrderDetails> GetOrder(ConnectionId connection, OrderId order,
                                        const std::string& name) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller
