#include "core/polling/resend.h"

#include <set>
#include <string>
#include <utility>

#include "core/base/status.h"
#include "core/polling/whole_read.h"

namespace poller {
namespace {

using Page = odoo::OrderPage;

// What the request names, as Odoo lists it.
Task<absl::StatusOr<std::set<OrderId>>> FindAll(OrderIngest& ingest, const ResendRequest& request) {
  auto step = co_await ingest.Begin();
  CO_RETURN_IF_ERROR(step);
  std::set<OrderId> ids;
  const auto add = [&ids](const Page& page) {
    for (const odoo::ListedOrder& row : page.orders) ids.insert(row.id);
  };
  if (request.last > 0) {
    auto page = co_await ingest.client().NewestOrders(request.last);
    CO_RETURN_IF_ERROR(page);
    add(*page);
  }
  if (!request.names.empty()) {
    auto page = co_await ingest.client().FindByName(request.names);
    CO_RETURN_IF_ERROR(page);
    add(*page);
  }
  ids.insert(request.ids.begin(), request.ids.end());
  co_return ids;
}

}  // namespace

Task<absl::StatusOr<ResendResult>> ResendOrders(OrderIngest& ingest, ResendRequest request) {
  auto found = co_await FindAll(ingest, request);
  CO_RETURN_IF_ERROR(found);
  std::vector<OrderId> ids(found->begin(), found->end());
  auto wanted = co_await WithHeads(ingest, std::move(ids));
  CO_RETURN_IF_ERROR(wanted);
  CO_RETURN_IF_ERROR(co_await ReadWhole(ingest, std::move(*wanted)));
  ResendResult result;
  std::set<OrderId> seen;
  std::set<std::string> names;
  for (const auto& [id, name] : ingest.read()) {
    if (!seen.insert(id).second) continue;
    names.insert(name);
    result.found.push_back(name.empty() ? "id " + std::to_string(id.value()) : name);
  }
  for (const OrderId id : request.ids) {
    if (!seen.contains(id)) result.missing.push_back(std::to_string(id.value()));
  }
  for (const std::string& name : request.names) {
    if (!names.contains(name)) result.missing.push_back(name);
  }
  result.recorded = ingest.result().recorded;
  result.requeued = ingest.requeued();
  result.dead = ingest.result().dead;
  co_return result;
}

}  // namespace poller
