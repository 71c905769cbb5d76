// Reads orders with all that belongs to them.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/odoo/caller.h"
#include "core/odoo/odoo_client.h"
#include "core/odoo/record_source.h"

namespace poller::odoo {

// One batch: at most one call a model, however many orders, and a second one of the orders to see
// what moved meanwhile. Used once.
class OrderReader {
 public:
  // Both outlive the reader.
  OrderReader(Caller& caller, RecordSource& source) : caller_(caller), source_(source) {}
  // See Client::ReadOrders.
  Task<absl::StatusOr<FetchedOrders>> Read(std::vector<OrderId> ids);

 private:
  Task<absl::Status> ReadLines();
  Task<absl::Status> ReadPartners();
  Task<absl::Status> ReadProducts();
  Task<absl::Status> FindTorn(std::vector<std::int64_t> asked);

  Caller& caller_;
  RecordSource& source_;
  FetchedOrders fetched_;
};

}  // namespace poller::odoo
