#include "core/odoo/fields.h"

#include <boost/json/array.hpp>

#include "core/base/status.h"
#include "core/odoo/error_kind.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

// Never destroyed: they may be read while the process ends.
template <class Make>
const ModelFields& Forever(Make make) {
  static const auto& fields = *new ModelFields(make());
  return fields;
}

}  // namespace

const ModelFields& OrderFields() {
  return Forever([] {
    return ModelFields{"sale.order",
                       {"name", "state", "write_date", "order_line"},
                       {"date_order", "amount_untaxed", "amount_tax", "amount_total", "currency_id",
                        "note", "client_order_ref", "partner_id", "partner_shipping_id"}};
  });
}
const ModelFields& LineFields() {
  return Forever([] {
    return ModelFields{"sale.order.line",
                       {"product_id", "product_uom_qty"},
                       {"order_id", "display_type", "name", "price_unit", "discount",
                        "price_subtotal", "price_total", "write_date"}};
  });
}
const ModelFields& PartnerFields() {
  return Forever([] {
    return ModelFields{"res.partner",
                       {},
                       {"name", "display_name", "parent_id", "email", "phone", "mobile", "vat",
                        "street", "street2", "city", "state_id", "zip", "country_id"}};
  });
}
const ModelFields& ProductFields() {
  return Forever([] {
    return ModelFields{"product.product",
                       {"default_code"},
                       {"barcode", "product_tmpl_id", "product_template_attribute_value_ids"}};
  });
}
const ModelFields& TemplateFields() {
  return Forever([] { return ModelFields{"product.template", {"default_code"}, {}}; });
}
const ModelFields& AttributeValueFields() {
  return Forever([] { return ModelFields{"product.template.attribute.value", {}, {"name"}}; });
}

Call FieldsGet(const ModelFields& wanted) {
  json::array names;
  for (const auto* list : {&wanted.required, &wanted.optional}) {
    for (const std::string& name : *list) names.emplace_back(name);
  }
  json::array attributes;
  attributes.emplace_back("type");
  Call call(wanted.model, "fields_get");
  call.arguments["allfields"] = std::move(names);
  call.arguments["attributes"] = std::move(attributes);
  return call;
}

absl::StatusOr<std::vector<std::string>> ChooseFields(const ModelFields& wanted,
                                                      const json::value& answer) {
  const json::object* known = answer.if_object();
  if (known == nullptr) return MakeError(ErrorKind::kGarbage, "fields_get gave no list of fields");
  std::vector<std::string> chosen, missing;
  for (const std::string& name : wanted.required) {
    (known->contains(name) ? chosen : missing).push_back(name);
  }
  if (!missing.empty()) {
    return WithReason(
        MakeError(ErrorKind::kQuery,
                  fmt::format("this Odoo, or this user in it, has no field {} on {}: without it "
                              "orders cannot be read",
                              fmt::join(missing, ", "), wanted.model)),
        "fields");
  }
  for (const std::string& name : wanted.optional) {
    if (known->contains(name)) chosen.push_back(name);
  }
  return chosen;
}

}  // namespace poller::odoo
