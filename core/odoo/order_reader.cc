#include "core/odoo/order_reader.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

#include "core/base/status.h"
#include "core/odoo/calls.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/fields.h"
#include "core/odoo/nested_read.h"
#include "core/odoo/records.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

using Ids = std::set<std::int64_t>;

std::vector<std::int64_t> Listed(const Ids& ids) { return {ids.begin(), ids.end()}; }

void AddReferred(const json::object& record, std::string_view field, Ids& ids) {
  if (const std::int64_t id = ReferredId(record, field); id != 0) ids.insert(id);
}

Ids LineIds(const std::vector<json::object>& orders) {
  Ids ids;
  for (const json::object& order : orders) AddReferredIds(order, "order_line", ids);
  return ids;
}

Ids PartnerIds(const std::vector<json::object>& orders) {
  Ids ids;
  for (const json::object& order : orders) {
    AddReferred(order, "partner_id", ids);
    AddReferred(order, "partner_shipping_id", ids);
  }
  return ids;
}

// An address without a name goes by its parent's.
Ids MissingParents(const RecordMap& partners) {
  Ids ids;
  for (const auto& [id, partner] : partners) {
    if (HasText(partner, "name")) continue;
    const std::int64_t parent = ReferredId(partner, "parent_id");
    if (parent != 0 && !partners.contains(parent)) ids.insert(parent);
  }
  return ids;
}

Ids ProductIds(const RecordMap& lines) {
  Ids ids;
  for (const auto& [id, line] : lines) AddReferred(line, "product_id", ids);
  return ids;
}

// Templates of the products whose code is nowhere else.
Ids TemplateIds(const RecordMap& products) {
  Ids ids;
  for (const auto& [id, product] : products) {
    if (HasText(product, "default_code") || HasText(product, "barcode")) continue;
    AddReferred(product, "product_tmpl_id", ids);
  }
  return ids;
}

Ids AttributeValueIds(const RecordMap& products) {
  Ids ids;
  for (const auto& [id, product] : products) {
    AddReferredIds(product, "product_template_attribute_value_ids", ids);
  }
  return ids;
}

const json::value* WriteDate(const json::object& record) {
  return record.if_contains("write_date");
}

bool SameWriteDate(const json::object& before, const json::object& after) {
  const json::value* first = WriteDate(before);
  const json::value* second = WriteDate(after);
  return first != nullptr && second != nullptr && *first == *second;
}

// A line that its order names and that is gone: somebody deleted it between the two reads, which
// does not always move the order's write_date.
bool LacksLines(const json::object& order, const RecordMap& lines) {
  Ids ids;
  AddReferredIds(order, "order_line", ids);
  for (const std::int64_t id : ids) {
    if (!lines.contains(id)) return true;
  }
  return false;
}

}  // namespace

Task<absl::Status> OrderReader::ReadLines() {
  std::vector<std::int64_t> ids = Listed(LineIds(fetched_.orders));
  CO_ASSIGN_OR_RETURN(fetched_.lines, co_await source_.Read(&LineFields(), std::move(ids)));
  co_return absl::OkStatus();
}

Task<absl::Status> OrderReader::ReadPartners() {
  std::vector<std::int64_t> ids = Listed(PartnerIds(fetched_.orders));
  CO_ASSIGN_OR_RETURN(fetched_.partners, co_await source_.Read(&PartnerFields(), std::move(ids)));
  std::vector<std::int64_t> parents = Listed(MissingParents(fetched_.partners));
  absl::StatusOr<RecordMap> found = co_await source_.Read(&PartnerFields(), std::move(parents));
  if (!found.ok()) {
    // A parent that is forbidden has still its display name in the address itself.
    if (ErrorKindOf(found.status()) == ErrorKind::kRecord) co_return absl::OkStatus();
    co_return found.status();
  }
  fetched_.partners.merge(*found);
  co_return absl::OkStatus();
}

Task<absl::Status> OrderReader::ReadProducts() {
  std::vector<std::int64_t> ids = Listed(ProductIds(fetched_.lines));
  CO_ASSIGN_OR_RETURN(fetched_.products, co_await source_.Read(&ProductFields(), std::move(ids)));
  std::vector<std::int64_t> templates = Listed(TemplateIds(fetched_.products));
  CO_ASSIGN_OR_RETURN(fetched_.templates,
                      co_await source_.Read(&TemplateFields(), std::move(templates)));
  std::vector<std::int64_t> values = Listed(AttributeValueIds(fetched_.products));
  CO_ASSIGN_OR_RETURN(fetched_.attribute_values,
                      co_await source_.Read(&AttributeValueFields(), std::move(values)));
  co_return absl::OkStatus();
}

Task<absl::Status> OrderReader::FindTorn(std::vector<std::int64_t> asked) {
  // All that were asked for, so that one that the search hid because it is forbidden is an error
  // and not mistaken for one that is gone.
  Call call = PlainRead(OrderFields().model, asked, {"write_date"});
  CO_ASSIGN_OR_RETURN(json::value answer, co_await caller_.Execute(std::move(call)));
  CO_ASSIGN_OR_RETURN(std::vector<json::object> records, TakeRecords(std::move(answer)));
  CO_ASSIGN_OR_RETURN(RecordMap again, IndexRecords(std::move(records), asked));
  for (const json::object& order : fetched_.orders) {
    const auto second = again.find(RecordId(order));
    const bool fits = second != again.end() && SameWriteDate(order, second->second) &&
                      !LacksLines(order, fetched_.lines);
    if (!fits) fetched_.torn.emplace_back(RecordId(order));
    if (second != again.end()) again.erase(second);
  }
  // What the first read did not see and the second does came to be in between.
  for (const auto& [id, record] : again) fetched_.torn.emplace_back(id);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<FetchedOrders>> OrderReader::ReadNested(std::vector<std::int64_t> ids) {
  NestedFields fields;
  CO_ASSIGN_OR_RETURN(fields.order, co_await source_.Fields(&OrderFields()));
  CO_ASSIGN_OR_RETURN(fields.line, co_await source_.Fields(&LineFields()));
  CO_ASSIGN_OR_RETURN(fields.partner, co_await source_.Fields(&PartnerFields()));
  CO_ASSIGN_OR_RETURN(fields.product, co_await source_.Fields(&ProductFields()));
  CO_ASSIGN_OR_RETURN(fields.product_template, co_await source_.Fields(&TemplateFields()));
  CO_ASSIGN_OR_RETURN(fields.attribute_value, co_await source_.Fields(&AttributeValueFields()));
  Call call = NestedReadCall(ids, fields);
  CO_ASSIGN_OR_RETURN(json::value answer, co_await caller_.Execute(std::move(call)));
  co_return UnfoldNested(std::move(answer), ids, fields);
}

Task<absl::StatusOr<FetchedOrders>> OrderReader::ReadPlain(std::vector<std::int64_t> ids) {
  CO_ASSIGN_OR_RETURN(RecordMap orders, co_await source_.Read(&OrderFields(), ids));
  for (auto& [id, order] : orders) fetched_.orders.push_back(std::move(order));
  CO_RETURN_IF_ERROR(co_await ReadLines());
  CO_RETURN_IF_ERROR(co_await ReadPartners());
  CO_RETURN_IF_ERROR(co_await ReadProducts());
  CO_RETURN_IF_ERROR(co_await FindTorn(std::move(ids)));
  co_return std::move(fetched_);
}

Task<absl::StatusOr<FetchedOrders>> OrderReader::Read(std::vector<OrderId> ids) {
  if (ids.empty()) co_return FetchedOrders();
  caller_.ForgetFirstDate();
  Ids asked;
  for (const OrderId id : ids) asked.insert(id.value());
  absl::StatusOr<FetchedOrders> fetched;
  bool nested = source_.nested_works();
  if (nested) {
    fetched = co_await ReadNested(Listed(asked));
    const auto kind = ErrorKindOf(fetched.status());
    // Without a required field nothing can be read, in whatever way.
    const bool lacks_field = Reason(fetched.status()) == "fields";
    const bool unknown = (kind == ErrorKind::kQuery && !lacks_field) || kind == ErrorKind::kGarbage;
    if (unknown) source_.RefuseNested();
    nested = !unknown && kind != ErrorKind::kRecord;
  }
  if (!nested) fetched = co_await ReadPlain(Listed(asked));
  if (fetched.ok()) fetched->date = caller_.first_date();
  co_return fetched;
}

}  // namespace poller::odoo
