#include "core/odoo/calls.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

constexpr char kOrderModel[] = "sale.order";
constexpr char kLineModel[] = "sale.order.line";

template <class List>
json::array Array(const List& list) {
  json::array array;
  for (const auto& item : list) array.emplace_back(item);
  return array;
}

json::array Condition(std::string_view field, std::string_view op, json::value value) {
  json::array condition;
  condition.emplace_back(json::string_view(field.data(), field.size()));
  condition.emplace_back(json::string_view(op.data(), op.size()));
  condition.emplace_back(std::move(value));
  return condition;
}

// `from` of a connection that has no mark yet lies before all time.
json::array Since(std::string_view field, absl::Time from) {
  const absl::Time earliest = absl::UnixEpoch();
  return Condition(field, ">=", json::value(FormatOdooTime(std::max(from, earliest))));
}

// `done` existed up to 16 and is accepted by all.
json::array Confirmed(std::string_view field) {
  return Condition(field, "in", Array(std::vector<const char*>{"sale", "done"}));
}
json::array ConfirmedOrCancelled() {
  return Condition("state", "in", Array(std::vector<const char*>{"sale", "done", "cancel"}));
}

Call Search(const char* model, json::array domain, const std::vector<const char*>& fields,
            const char* order) {
  Call call(model, "search_read");
  call.arguments["domain"] = std::move(domain);
  call.arguments["fields"] = Array(fields);
  call.arguments["order"] = order;
  return call;
}

Call SearchOrders(json::array domain, const char* order) {
  return Search(kOrderModel, std::move(domain), {"id", "write_date", "state"}, order);
}

json::array Dated(const DateRange& range) {
  json::array domain;
  domain.emplace_back(Confirmed("state"));
  if (range.since != absl::InfinitePast()) domain.emplace_back(Since("date_order", range.since));
  if (range.until != absl::InfiniteFuture()) {
    domain.emplace_back(Condition("date_order", "<", json::value(FormatOdooTime(range.until))));
  }
  return domain;
}

Call SearchDated(json::array domain, const char* order) {
  return Search(kOrderModel, std::move(domain), {"id", "write_date", "state", "date_order"}, order);
}

}  // namespace

Call PlainRead(const std::string& model, const std::vector<std::int64_t>& ids,
               const std::vector<std::string>& fields) {
  Call call(model, "read");
  call.ids = ids;
  call.names_records = true;
  call.arguments["fields"] = Array(fields);
  return call;
}

Call ReadCall(const std::string& model, const std::vector<std::int64_t>& ids,
              const std::vector<std::string>& fields) {
  if (model != kOrderModel) return PlainRead(model, ids, fields);
  json::array domain;
  domain.emplace_back(Condition("id", "in", Array(ids)));
  Call call(model, "search_read");
  call.names_records = true;
  call.arguments["domain"] = std::move(domain);
  call.arguments["fields"] = Array(fields);
  call.arguments["order"] = "id";
  return call;
}

Call ListOrdersCall(absl::Time from, OrderId after, int limit) {
  json::array domain;
  domain.emplace_back(ConfirmedOrCancelled());
  domain.emplace_back(Since("write_date", from));
  domain.emplace_back(Condition("id", ">", after.value()));
  Call call = SearchOrders(std::move(domain), "id");
  call.arguments["limit"] = limit;
  return call;
}

Call NewestOrdersCall(int count) {
  json::array domain;
  domain.emplace_back(Confirmed("state"));
  Call call = SearchOrders(std::move(domain), "date_order desc, id desc");
  call.arguments["limit"] = count;
  return call;
}

Call FindByNameCall(const std::vector<std::string>& names) {
  json::array domain;
  domain.emplace_back(ConfirmedOrCancelled());
  domain.emplace_back(Condition("name", "in", Array(names)));
  return SearchOrders(std::move(domain), "id");
}

Call ListChangedLinesCall(absl::Time from, absl::Time order_date_from, std::int64_t after,
                          int limit) {
  json::array domain;
  domain.emplace_back(Confirmed("order_id.state"));
  domain.emplace_back(Since("order_id.date_order", order_date_from));
  domain.emplace_back(Since("write_date", from));
  domain.emplace_back(Condition("id", ">", after));
  Call call = Search(kLineModel, std::move(domain), {"id", "order_id", "write_date"}, "id");
  call.arguments["limit"] = limit;
  return call;
}

Call ListDatedCall(const DateRange& range, OrderId after, int limit) {
  json::array domain = Dated(range);
  domain.emplace_back(Condition("id", ">", after.value()));
  Call call = SearchDated(std::move(domain), "id");
  call.arguments["limit"] = limit;
  return call;
}

Call CountDatedCall(const DateRange& range) {
  Call call(kOrderModel, "search_count");
  call.arguments["domain"] = Dated(range);
  return call;
}

Call NthNewestDatedCall(const DateRange& range, int n) {
  Call call = SearchDated(Dated(range), "date_order desc, id desc");
  call.arguments["offset"] = n - 1;
  call.arguments["limit"] = 1;
  return call;
}

Call ListKeysCall(std::int64_t uid) {
  json::array domain;
  domain.emplace_back(Condition("user_id", "=", uid));
  return Search("res.users.apikeys", std::move(domain), {"expiration_date"}, "id");
}

Call SeesAllDocumentsCall(std::int64_t uid, int major_version) {
  Call call("res.users", "has_group");
  if (major_version >= 18) call.ids.push_back(uid);
  call.arguments["group_ext_id"] = "sales_team.group_sale_salesman_all_leads";
  return call;
}
Call CheckReadableCall(const std::string& model) {
  Call call(model, "search_read");
  call.arguments["domain"] = json::array();
  call.arguments["fields"] = Array(std::vector<const char*>{"id"});
  call.arguments["limit"] = 1;
  return call;
}

}  // namespace poller::odoo
