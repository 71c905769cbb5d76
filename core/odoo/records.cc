#include "core/odoo/records.h"

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/odoo/error_kind.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

absl::Status Garbage(std::string_view what) { return MakeError(ErrorKind::kGarbage, what); }

const json::value* Find(const json::object& record, std::string_view field) {
  return record.if_contains(json::string_view(field.data(), field.size()));
}

std::optional<std::int64_t> AsId(const json::value& value) {
  const std::int64_t* id = value.if_int64();
  if (id == nullptr || *id <= 0 || *id > kMaxRecordId) return std::nullopt;
  return *id;
}

// Empty where Odoo has none.
absl::StatusOr<std::string> WriteDate(const json::object& record) {
  const json::value* value = Find(record, "write_date");
  if (value == nullptr) return Garbage("a row has no write_date");
  if (value->is_null() || (value->is_bool() && !value->get_bool())) return std::string();
  const json::string* text = value->if_string();
  if (text == nullptr) return Garbage("a row's write_date is not a text");
  std::string result(text->data(), text->size());
  if (!ParseOdooTime(result).ok()) {
    return Garbage("a row's write_date is not written as YYYY-MM-DD HH:MM:SS");
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<json::object>> TakeRecords(json::value answer) {
  json::array* list = answer.if_array();
  if (list == nullptr) return Garbage("not a list of records");
  std::vector<json::object> records;
  records.reserve(list->size());
  std::unordered_set<std::int64_t> seen;
  for (json::value& item : *list) {
    json::object* record = item.if_object();
    if (record == nullptr) return Garbage("a record is not an object");
    const json::value* value = Find(*record, "id");
    const std::optional<std::int64_t> id = value == nullptr ? std::nullopt : AsId(*value);
    if (!id.has_value()) return Garbage("a record's id is not a whole number from 1 to 2^53");
    if (!seen.insert(*id).second) return Garbage(fmt::format("the record {} is there twice", *id));
    records.push_back(std::move(*record));
  }
  return records;
}

bool IsRecordId(const json::value* value) { return value != nullptr && AsId(*value).has_value(); }

std::int64_t RecordId(const json::object& record) { return record.at("id").as_int64(); }

absl::StatusOr<RecordMap> IndexRecords(std::vector<json::object> records,
                                       const std::vector<std::int64_t>& asked) {
  const std::unordered_set<std::int64_t> known(asked.begin(), asked.end());
  RecordMap map;
  for (json::object& record : records) {
    const std::int64_t id = RecordId(record);
    if (!known.contains(id)) {
      return Garbage(fmt::format("the record {} was not asked for", id));
    }
    map.emplace(id, std::move(record));
  }
  return map;
}

absl::StatusOr<ListedOrder> ReadListedOrder(const json::object& record) {
  ListedOrder order;
  order.id = OrderId(RecordId(record));
  ASSIGN_OR_RETURN(order.write_date, WriteDate(record));
  const json::value* state = Find(record, "state");
  const json::string* text = state == nullptr ? nullptr : state->if_string();
  if (text == nullptr) return Garbage("a row's state is not a text");
  order.state.assign(text->data(), text->size());
  const json::value* dated = Find(record, "date_order");
  const json::string* date = dated == nullptr ? nullptr : dated->if_string();
  if (date != nullptr) order.date_order.assign(date->data(), date->size());
  return order;
}

absl::StatusOr<ListedLine> ReadListedLine(const json::object& record) {
  ListedLine line;
  line.id = RecordId(record);
  line.order = OrderId(ReferredId(record, "order_id"));
  if (!line.order) return Garbage("a row's order_id is not a reference");
  ASSIGN_OR_RETURN(line.write_date, WriteDate(record));
  return line;
}

std::int64_t ReferredId(const json::object& record, std::string_view field) {
  const json::value* value = Find(record, field);
  const json::array* pair = value == nullptr ? nullptr : value->if_array();
  if (pair == nullptr || pair->size() != 2) return 0;
  return AsId((*pair)[0]).value_or(0);
}

void AddReferredIds(const json::object& record, std::string_view field,
                    std::set<std::int64_t>& ids) {
  const json::value* value = Find(record, field);
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    if (const std::optional<std::int64_t> id = AsId(item)) ids.insert(*id);
  }
}

bool HasText(const json::object& record, std::string_view field) {
  const json::value* value = Find(record, field);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text != nullptr && !text->empty();
}

}  // namespace poller::odoo
