#include "core/polling/batch_builder.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/orders/order_mapper.h"
#include "core/orders/payload.h"
#include "core/polling/line_stamps.h"

namespace poller {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxRawRecord = 64 << 10;

std::string TextField(const json::object& record, std::string_view key) {
  const json::value* value = record.if_contains(key);
  if (value == nullptr || !value->is_string()) return "";
  const json::string& text = value->get_string();
  return std::string(text.data(), text.size());
}

OrderId IdOf(const json::object& record) {
  const json::value* value = record.if_contains("id");
  return OrderId(value != nullptr && value->is_int64() ? value->get_int64() : 0);
}

// Calls `visit` for the records of the order's lines.
template <class Visit>
void ForEachLine(const json::object& order, const odoo::RecordMap& lines, Visit visit) {
  const json::value* ids = order.if_contains("order_line");
  if (ids == nullptr || !ids->is_array()) return;
  for (const json::value& id : ids->get_array()) {
    if (!id.is_int64()) continue;
    const auto line = lines.find(id.get_int64());
    if (line != lines.end()) visit(line->second);
  }
}

std::vector<LineStamp> StampsOf(const json::object& order, const odoo::RecordMap& lines) {
  std::vector<LineStamp> stamps;
  ForEachLine(order, lines, [&](const json::object& line) {
    stamps.push_back({IdOf(line).value(), TextField(line, "write_date")});
  });
  return stamps;
}

// Empty: there are none.
std::string NewestOf(const std::vector<LineStamp>& lines) {
  std::string newest;
  for (const LineStamp& line : lines) newest = std::max(newest, line.write_date);
  return newest;
}

// The order and its lines as Odoo gave them, for whoever has to find out what is wrong.
std::string RawRecord(const json::object& order, const odoo::RecordMap& lines) {
  json::object raw;
  raw["order"] = order;
  json::array& raw_lines = raw["lines"].emplace_array();
  ForEachLine(order, lines, [&](const json::object& line) { raw_lines.emplace_back(line); });
  return SafeText(json::serialize(raw), kMaxRawRecord);
}

bool BeforeStart(const std::string& date_order, absl::Time started) {
  const auto dated = ParseOdooTime(date_order);
  return dated.ok() && *dated < started;
}

class Builder {
 public:
  Builder(const BuildInput& input, const odoo::FetchedOrders& fetched)
      : input_(input), fetched_(fetched) {}

  void Add(const WantedOrder& wanted, const json::object& record, BuiltBatch& batch) const {
    const std::string write_date = TextField(record, "write_date");
    if (wanted.only_as_listed && write_date != wanted.write_date) {
      batch.torn.push_back(wanted.id);
      return;
    }
    const OrderHead* head = wanted.head.has_value() ? &*wanted.head : nullptr;
    const bool young = IsYoung(input_.window, write_date, input_.read_at, head);
    const bool confirmed = IsConfirmedState(TextField(record, "state"));
    if (!confirmed && head != nullptr) batch.cancelled.push_back({wanted.id, write_date, false});
    if (!confirmed && (head != nullptr || !wanted.even_cancelled)) return;
    const RelatedRecords related{fetched_.lines, fetched_.partners, fetched_.products,
                                 fetched_.templates, fetched_.attribute_values};
    auto order = MapOrder(record, related, input_.database);
    if (!order.ok()) {
      if (!confirmed) return;  // without its content there is nothing to say
      batch.unmappable.push_back(
          {wanted.id, SafeText(TextField(record, "name")), write_date,
           std::string(Message(order.status())), RawRecord(record, fetched_.lines),
           std::max(NewestOf(StampsOf(record, fetched_.lines)), wanted.line_write_date)});
      return;
    }
    Observation seen;
    seen.order = wanted.id;
    seen.name = order->name;
    if (!confirmed) seen.condition = OrderCondition::kCancelled;
    seen.write_date = order->write_date;
    std::vector<LineStamp> lines = StampsOf(record, fetched_.lines);
    seen.line_write_date = NewestOf(lines);
    seen.line_stamps = EncodeLineStamps(std::move(lines));
    seen.young = young;
    seen.content_hash = ContentHash(*order, input_.database);
    seen.content = EncodeContent(*order, input_.database);
    seen.confirmed_before_start = BeforeStart(order->date_order, input_.started);
    batch.orders.push_back(std::move(seen));
  }

 private:
  const BuildInput& input_;
  const odoo::FetchedOrders& fetched_;
};

}  // namespace

BuiltBatch BuildBatch(const BuildInput& input, const std::vector<WantedOrder>& wanted,
                      const odoo::FetchedOrders& fetched) {
  std::map<OrderId, const json::object*> records;
  for (const json::object& record : fetched.orders) records.emplace(IdOf(record), &record);
  const std::set<OrderId> torn(fetched.torn.begin(), fetched.torn.end());
  const Builder builder(input, fetched);
  BuiltBatch batch;
  for (const WantedOrder& order : wanted) {
    const auto record = records.find(order.id);
    if (torn.contains(order.id)) {
      batch.torn.push_back(order.id);
    } else if (record == records.end()) {
      batch.vanished.push_back(order.id);
    } else {
      builder.Add(order, *record->second, batch);
    }
  }
  return batch;
}

UnmappableOrder Unreadable(const WantedOrder& order, const std::string& reason) {
  json::object raw;
  raw["id"] = order.id.value();
  UnmappableOrder dead;
  dead.order = order.id;
  if (order.head.has_value()) dead.name = order.head->name;
  dead.write_date = order.write_date;
  dead.reason = reason;
  dead.raw_record = json::serialize(raw);
  dead.line_write_date = order.line_write_date;
  return dead;
}

}  // namespace poller
