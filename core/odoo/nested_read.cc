#include "core/odoo/nested_read.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/status.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/records.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

using Names = std::vector<std::string>;

constexpr char kName[] = "display_name";

json::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status Garbage(std::string_view what) { return MakeError(ErrorKind::kGarbage, what); }

json::object Plain(const Names& names) {
  json::object specification;
  for (const std::string& name : names) specification[name] = json::object();
  return specification;
}

// Asks for the fields of what `field` refers to, if there is such a field.
void Nest(json::object& specification, std::string_view field, json::object inner) {
  json::value* place = specification.if_contains(View(field));
  if (place == nullptr) return;
  json::object nested;
  nested["fields"] = std::move(inner);
  *place = std::move(nested);
}

void NestNames(json::object& specification, std::initializer_list<std::string_view> fields) {
  for (const std::string_view field : fields) Nest(specification, field, Plain({kName}));
}

json::object PartnerSpecification(const NestedFields& fields) {
  json::object partner = Plain(fields.partner);
  partner[kName] = json::object();
  NestNames(partner, {"state_id", "country_id"});
  json::object parent = Plain({kName});
  if (Has(fields.partner, "name")) parent["name"] = json::object();
  Nest(partner, "parent_id", std::move(parent));
  return partner;
}

json::object LineSpecification(const NestedFields& fields) {
  json::object product_template = Plain(fields.product_template);
  product_template[kName] = json::object();
  json::object product = Plain(fields.product);
  product[kName] = json::object();
  Nest(product, "product_tmpl_id", std::move(product_template));
  Nest(product, "product_template_attribute_value_ids", Plain(fields.attribute_value));
  json::object line = Plain(fields.line);
  NestNames(line, {"order_id"});
  Nest(line, "product_id", std::move(product));
  return line;
}

// Takes nested records apart.
class Unfolder {
 public:
  explicit Unfolder(const NestedFields& fields) : fields_(fields) {}

  absl::StatusOr<FetchedOrders> Run(json::value answer, const std::vector<std::int64_t>& asked) {
    ASSIGN_OR_RETURN(std::vector<json::object> orders, TakeRecords(std::move(answer)));
    // Only those that were asked for.
    ASSIGN_OR_RETURN(RecordMap by_id, IndexRecords(std::move(orders), asked));
    for (auto& [id, order] : by_id) {
      RETURN_IF_ERROR(Order(order));
      fetched_.orders.push_back(std::move(order));
    }
    // Last, because one that an order names too is known in full.
    for (json::object& parent : parents_) Keep(fetched_.partners, std::move(parent));
    return std::move(fetched_);
  }

 private:
  absl::Status Order(json::object& order) {
    RETURN_IF_ERROR(CheckFields(order, fields_.order));
    RETURN_IF_ERROR(Take(order, "currency_id").status());
    for (const char* field : {"partner_id", "partner_shipping_id"}) {
      ASSIGN_OR_RETURN(std::optional<json::object> partner, Take(order, field));
      if (partner.has_value()) RETURN_IF_ERROR(Partner(*std::move(partner)));
    }
    return TakeList(order, "order_line",
                    [this](json::object line) { return Line(std::move(line)); });
  }

  absl::Status Line(json::object line) {
    RETURN_IF_ERROR(CheckFields(line, fields_.line));
    RETURN_IF_ERROR(Take(line, "order_id").status());
    ASSIGN_OR_RETURN(std::optional<json::object> product, Take(line, "product_id"));
    if (product.has_value()) RETURN_IF_ERROR(Product(*std::move(product)));
    Keep(fetched_.lines, std::move(line));
    return absl::OkStatus();
  }

  absl::Status Product(json::object product) {
    RETURN_IF_ERROR(CheckFields(product, fields_.product));
    ASSIGN_OR_RETURN(std::optional<json::object> of, Take(product, "product_tmpl_id"));
    if (of.has_value()) {
      RETURN_IF_ERROR(CheckFields(*of, fields_.product_template));
      Keep(fetched_.templates, *std::move(of));
    }
    const absl::Status values =
        TakeList(product, "product_template_attribute_value_ids",
                 [this](json::object value) { return AttributeValue(std::move(value)); });
    RETURN_IF_ERROR(values);
    Keep(fetched_.products, std::move(product));
    return absl::OkStatus();
  }

  absl::Status AttributeValue(json::object value) {
    RETURN_IF_ERROR(CheckFields(value, fields_.attribute_value));
    Keep(fetched_.attribute_values, std::move(value));
    return absl::OkStatus();
  }

  absl::Status Partner(json::object partner) {
    RETURN_IF_ERROR(CheckFields(partner, fields_.partner));
    for (const char* field : {"state_id", "country_id"}) {
      RETURN_IF_ERROR(Take(partner, field).status());
    }
    ASSIGN_OR_RETURN(std::optional<json::object> parent, Take(partner, "parent_id"));
    if (parent.has_value() && !HasText(partner, "name")) parents_.push_back(*std::move(parent));
    Keep(fetched_.partners, std::move(partner));
    return absl::OkStatus();
  }

  static absl::Status CheckFields(const json::object& record, const Names& names) {
    for (const std::string& name : names) {
      if (!record.contains(name)) return Garbage(fmt::format("a record lacks {}", name));
    }
    return absl::OkStatus();
  }

  // What a many2one refers to, if it refers to something; [id, display_name] takes its place.
  static absl::StatusOr<std::optional<json::object>> Take(json::object& record,
                                                          std::string_view field) {
    json::value* value = record.if_contains(View(field));
    if (value == nullptr || (value->is_bool() && !value->get_bool())) {
      return std::optional<json::object>();
    }
    json::object* target = value->if_object();
    if (target == nullptr || !IsRecordId(target->if_contains("id")) || !target->contains(kName)) {
      return Garbage(fmt::format("{} is not a nested record", field));
    }
    std::optional<json::object> taken = std::move(*target);
    json::array pair;
    pair.emplace_back(taken->at("id"));
    pair.emplace_back(taken->at(kName));
    *value = std::move(pair);
    return taken;
  }

  // Gives each record of a list to `take`; the list of their ids takes its place.
  template <class TakeOne>
  static absl::Status TakeList(json::object& record, std::string_view field, TakeOne take) {
    json::value* value = record.if_contains(View(field));
    if (value == nullptr) return absl::OkStatus();
    json::array* list = value->if_array();
    if (list == nullptr) return Garbage(fmt::format("{} is not a list", field));
    json::array ids;
    for (json::value& item : *list) {
      json::object* inner = item.if_object();
      if (inner == nullptr || !IsRecordId(inner->if_contains("id"))) {
        return Garbage(fmt::format("{} holds what is not a record", field));
      }
      ids.emplace_back(inner->at("id"));
      RETURN_IF_ERROR(take(std::move(*inner)));
    }
    *value = std::move(ids);
    return absl::OkStatus();
  }

  // The first of an id stays: all of one answer are the same.
  static void Keep(RecordMap& map, json::object record) {
    const std::int64_t id = RecordId(record);
    map.emplace(id, std::move(record));
  }

  const NestedFields& fields_;
  FetchedOrders fetched_;
  std::vector<json::object> parents_;
};

}  // namespace

Call NestedReadCall(const std::vector<std::int64_t>& ids, const NestedFields& fields) {
  json::object order = Plain(fields.order);
  NestNames(order, {"currency_id"});
  for (const char* field : {"partner_id", "partner_shipping_id"}) {
    Nest(order, field, PartnerSpecification(fields));
  }
  Nest(order, "order_line", LineSpecification(fields));
  Call call("sale.order", "web_read");
  call.ids = ids;
  call.names_records = true;
  call.arguments["specification"] = std::move(order);
  return call;
}

absl::StatusOr<FetchedOrders> UnfoldNested(json::value answer,
                                           const std::vector<std::int64_t>& asked,
                                           const NestedFields& fields) {
  return Unfolder(fields).Run(std::move(answer), asked);
}

}  // namespace poller::odoo
