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

// One batch. Nested, in one call, where this Odoo can; else with plain reads: at most one call a
// model, however many orders, and a second one of the orders to see what moved meanwhile. Both give
// the same. What a nested read answers decides: where it is unknown, or its answer odd, plain reads
// take its place for good; where a record is refused, for this batch, because plain reads need fewer
// records (the parent of an address may be forbidden). Used once.
class OrderReader {
 public:
  // Both outlive the reader.
  OrderReader(Caller& caller, RecordSource& source) : caller_(caller), source_(source) {}
  // See Client::ReadOrders.
  Task<absl::StatusOr<FetchedOrders>> Read(std::vector<OrderId> ids);

 private:
  Task<absl::StatusOr<FetchedOrders>> ReadNested(std::vector<std::int64_t> ids);
  Task<absl::StatusOr<FetchedOrders>> ReadPlain(std::vector<std::int64_t> ids);
  Task<absl::Status> ReadLines();
  Task<absl::Status> ReadPartners();
  Task<absl::Status> ReadProducts();
  Task<absl::Status> FindTorn(std::vector<std::int64_t> asked);

  Caller& caller_;
  RecordSource& source_;
  FetchedOrders fetched_;
};

}  // namespace poller::odoo
