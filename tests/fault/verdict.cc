#include "tests/fault/verdict.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace poller::test {
namespace {

namespace json = boost::json;

bool Same(double a, double b) { return std::fabs(a - b) < 1e-9; }

// The differences between what is committed and the body that was accepted last; empty: none.
std::string Difference(const SimOrder& order, const std::string& body) {
  const json::object root = json::parse(body).as_object();
  const json::object& sent = root.at("order").as_object();
  if (sent.at("name").as_string() != order.name) return "name";
  if (sent.at("client_order_ref").as_string() != order.client_order_ref) return "client_order_ref";
  if (sent.at("note").as_string() != order.note) return "note";
  if (!Same(sent.at("amount_total").as_double(), order.amount_total)) return "amount_total";
  std::vector<const SimLine*> lines;
  for (const SimLine& line : order.lines) {
    if (line.display_type.empty() && line.quantity != 0) lines.push_back(&line);
  }
  const json::array& items = root.at("items").as_array();
  if (items.size() != lines.size()) return "number of items";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const json::object& item = items[i].as_object();
    if (item.at("name").as_string() != lines[i]->name) return "item name";
    if (!Same(item.at("quantity").as_double(), lines[i]->quantity)) return "item quantity";
    if (!Same(item.at("unit_price").as_double(), lines[i]->price_unit)) return "item price";
  }
  return "";
}

}  // namespace

std::vector<std::string> CompareOrders(World& world, bool with_history) {
  std::vector<std::string> wrong;
  for (const SimOrder& order : world.shop().Orders()) {
    const std::string name = "order " + std::to_string(order.id);
    const auto details = world.storage().orders().GetOrder(ConnectionId(1), OrderId(order.id), "");
    const bool baseline_only =
        details.ok() && details->summary.head.status == DeliveryStatus::kBaseline;
    const auto arrived = world.receiver().FindOrder("C1", order.id);
    if (order.state == "sale" || order.state == "done") {
      if (baseline_only && !with_history)
        continue;  // existed before, unchanged since: the baseline test checks that
      if (!arrived.has_value() || arrived->accepted_revision == 0) {
        wrong.push_back(name + " is lost" + (details.ok() ? "" : " and unknown"));
      } else if (const std::string what = Difference(order, arrived->accepted_body);
                 !what.empty()) {
        wrong.push_back(name + ": an old form was accepted last, differs in " + what);
      } else if (arrived->state == "cancel") {
        wrong.push_back(name + " is confirmed, but its cancellation arrived last");
      }
    }
  }
  return wrong;
}

}  // namespace poller::test
