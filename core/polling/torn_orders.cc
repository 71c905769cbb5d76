#include "core/polling/torn_orders.h"

#include <algorithm>
#include <set>
#include <string>

#include "fmt/format.h"

namespace poller {
namespace {

// More torn orders than that at one time are none of an Odoo's: counting begins anew.
constexpr std::size_t kMostCounted = 10000;

// One that says already that the order cannot be had.
bool IsDeadLetter(const WantedOrder& order) {
  return order.head.has_value() && order.head->status == DeliveryStatus::kDead &&
         order.head->content_hash.empty();
}

// As it was read, if it was: readers that were given an id alone know none.
std::string WriteDateOf(const WantedOrder& order, const odoo::FetchedOrders& fetched) {
  for (const auto& record : fetched.orders) {
    const auto* id = record.if_contains("id");
    if (id == nullptr || !id->is_int64() || id->get_int64() != order.id.value()) continue;
    const auto* write_date = record.if_contains("write_date");
    if (write_date != nullptr && write_date->is_string()) return write_date->get_string().c_str();
  }
  return order.write_date;
}

}  // namespace

void TornOrders::GiveUp(const std::vector<WantedOrder>& part, const odoo::FetchedOrders& fetched,
                        BuiltBatch& built) {
  // Not all of `built.torn`: a baseline leaves what changed since its listing to the polls.
  const std::set<OrderId> torn(fetched.torn.begin(), fetched.torn.end());
  if (looks_.size() > kMostCounted) looks_.clear();
  for (const WantedOrder& order : part) {
    if (!torn.contains(order.id)) {
      looks_.erase(order.id);
      continue;
    }
    int& looks = looks_[order.id];
    looks = std::min(looks + 1, kMostLooks);
    if (looks < kMostLooks) continue;
    std::erase(built.torn, order.id);
    if (IsDeadLetter(order)) continue;
    WantedOrder dead = order;
    dead.write_date = WriteDateOf(order, fetched);
    built.unmappable.push_back(Unreadable(
        dead,
        fmt::format("each of the last {} times that it was read it changed meanwhile, or named a "
                    "line that could not be read: look in Odoo for what keeps writing this order, "
                    "and whether the user may read all its lines",
                    kMostLooks)));
  }
}

}  // namespace poller
