#include "core/orders/order_mapper.h"

#include <string_view>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/orders/record_reader.h"
#include "fmt/format.h"

namespace poller {
namespace {

namespace json = boost::json;

constexpr char kOrderModel[] = "sale.order";
constexpr char kLineModel[] = "sale.order.line";
constexpr char kProductModel[] = "product.product";
constexpr char kTemplateModel[] = "product.template";
constexpr char kPartnerModel[] = "res.partner";
constexpr char kAttributeModel[] = "product.template.attribute.value";

const json::object* Find(const RecordMap& records, std::int64_t id) {
  const auto found = records.find(id);
  return found == records.end() ? nullptr : &found->second;
}

std::string Unreadable(std::string_view model, std::int64_t id) {
  return fmt::format("refers to {} {}, which cannot be read", model, id);
}

// Odoo shows a contact of a company as "Company, Contact".
std::string WithoutLastPart(const std::string& display_name) {
  const std::size_t comma = display_name.rfind(", ");
  return comma == std::string::npos ? display_name : display_name.substr(0, comma);
}

// The name of `partner`, or for a nameless address the name of its parent.
absl::StatusOr<std::string> PartnerName(const RecordReader& partner, const RecordMap& partners) {
  ASSIGN_OR_RETURN(std::string name, partner.Text("name"));
  if (!name.empty()) return name;
  ASSIGN_OR_RETURN(const Reference parent_ref, partner.Many2one("parent_id"));
  if (const json::object* record = Find(partners, parent_ref.id)) {
    const RecordReader parent(kPartnerModel, parent_ref.id, *record);
    ASSIGN_OR_RETURN(name, parent.Text("name"));
    if (!name.empty()) return name;
  }
  if (!parent_ref.name.empty()) return parent_ref.name;
  ASSIGN_OR_RETURN(const std::string display_name, partner.Text("display_name"));
  return WithoutLastPart(display_name);
}

absl::StatusOr<PostalAddress> MapAddress(const RecordReader& partner) {
  PostalAddress address;
  ASSIGN_OR_RETURN(address.street, partner.Text("street"));
  ASSIGN_OR_RETURN(address.street2, partner.Text("street2"));
  ASSIGN_OR_RETURN(address.city, partner.Text("city"));
  ASSIGN_OR_RETURN(Reference state, partner.Many2one("state_id"));
  address.state = std::move(state.name);
  ASSIGN_OR_RETURN(address.zip, partner.Text("zip"));
  ASSIGN_OR_RETURN(Reference country, partner.Many2one("country_id"));
  address.country = std::move(country.name);
  return address;
}

// The partner that the order's `field` names; empty where it names none.
absl::StatusOr<Party> MapParty(const RecordReader& order, std::string_view field,
                               const RecordMap& partners) {
  ASSIGN_OR_RETURN(const Reference reference, order.Many2one(field));
  if (reference.id == 0) return Party();
  const json::object* record = Find(partners, reference.id);
  if (record == nullptr) return order.Error(field, Unreadable(kPartnerModel, reference.id));
  const RecordReader partner(kPartnerModel, reference.id, *record);
  Party party;
  ASSIGN_OR_RETURN(party.name, PartnerName(partner, partners));
  ASSIGN_OR_RETURN(party.email, partner.Text("email"));
  ASSIGN_OR_RETURN(party.phone, partner.Text("phone"));
  if (party.phone.empty()) {
    ASSIGN_OR_RETURN(party.phone, partner.Text("mobile"));
  }
  ASSIGN_OR_RETURN(party.tax_id, partner.Text("vat"));
  ASSIGN_OR_RETURN(party.address, MapAddress(partner));
  return party;
}

// A code that is guessed makes a warehouse send the wrong thing: what cannot be read is an error.
absl::StatusOr<std::string> MapSku(const RecordReader& product, std::int64_t product_id,
                                   const RelatedRecords& related, const std::string& database) {
  ASSIGN_OR_RETURN(std::string sku, product.Text("default_code"));
  if (!sku.empty()) return sku;
  ASSIGN_OR_RETURN(sku, product.Text("barcode"));
  if (!sku.empty()) return sku;
  ASSIGN_OR_RETURN(const Reference reference, product.Many2one("product_tmpl_id"));
  if (reference.id != 0) {
    const json::object* record = Find(related.templates, reference.id);
    if (record == nullptr) {
      return product.Error("product_tmpl_id", Unreadable(kTemplateModel, reference.id));
    }
    const RecordReader product_template(kTemplateModel, reference.id, *record);
    ASSIGN_OR_RETURN(sku, product_template.Text("default_code"));
    if (!sku.empty()) return sku;
  }
  return fmt::format("ODOO-{}-{}", database, product_id);
}

absl::StatusOr<std::string> MapVariant(const RecordReader& product, const RecordMap& values) {
  constexpr std::string_view kField = "product_template_attribute_value_ids";
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> ids, product.Ids(kField));
  std::string variant;
  for (const std::int64_t id : ids) {
    const json::object* record = Find(values, id);
    if (record == nullptr) return product.Error(kField, Unreadable(kAttributeModel, id));
    const RecordReader value(kAttributeModel, id, *record);
    ASSIGN_OR_RETURN(const std::string name, value.Text("name"));
    if (!variant.empty()) variant += ", ";
    variant += name;
  }
  return variant;
}

absl::Status MapProduct(const RecordReader& line, const Reference& reference,
                        const RelatedRecords& related, const std::string& database,
                        OrderItem& item) {
  if (reference.id == 0) return absl::OkStatus();
  const json::object* record = Find(related.products, reference.id);
  if (record == nullptr) return line.Error("product_id", Unreadable(kProductModel, reference.id));
  const RecordReader product(kProductModel, reference.id, *record);
  item.product_id = reference.id;
  ASSIGN_OR_RETURN(item.sku, MapSku(product, reference.id, related, database));
  ASSIGN_OR_RETURN(item.variant, MapVariant(product, related.attribute_values));
  return absl::OkStatus();
}

// Adds nothing for sections, notes and lines with quantity 0.
absl::Status MapLine(std::int64_t line_id, const json::object& record,
                     const RelatedRecords& related, const std::string& database,
                     std::vector<OrderItem>& items) {
  const RecordReader line(kLineModel, line_id, record);
  ASSIGN_OR_RETURN(const std::string display_type, line.Text("display_type"));
  if (!display_type.empty()) return absl::OkStatus();
  OrderItem item;
  item.line_id = line_id;
  ASSIGN_OR_RETURN(item.quantity, line.RequiredNumber("product_uom_qty"));
  if (item.quantity == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Reference product, line.RequiredMany2one("product_id"));
  RETURN_IF_ERROR(MapProduct(line, product, related, database, item));
  ASSIGN_OR_RETURN(item.name, line.Text("name"));
  ASSIGN_OR_RETURN(item.unit_price, line.Number("price_unit"));
  ASSIGN_OR_RETURN(item.subtotal, line.Number("price_subtotal"));
  ASSIGN_OR_RETURN(item.total, line.Number("price_total"));
  ASSIGN_OR_RETURN(item.discount_percent, line.Number("discount"));
  items.push_back(std::move(item));
  return absl::OkStatus();
}

absl::Status MapHead(const RecordReader& record, Order& order) {
  ASSIGN_OR_RETURN(order.name, record.RequiredText("name"));
  ASSIGN_OR_RETURN(order.state, record.RequiredText("state"));
  ASSIGN_OR_RETURN(order.date_order, record.Time("date_order"));
  ASSIGN_OR_RETURN(order.write_date, record.RequiredTime("write_date"));
  ASSIGN_OR_RETURN(order.amount_untaxed, record.Number("amount_untaxed"));
  ASSIGN_OR_RETURN(order.amount_tax, record.Number("amount_tax"));
  ASSIGN_OR_RETURN(order.amount_total, record.Number("amount_total"));
  ASSIGN_OR_RETURN(Reference currency, record.Many2one("currency_id"));
  order.currency = std::move(currency.name);  // a currency's display name is its code
  ASSIGN_OR_RETURN(order.note, record.Text("note"));
  ASSIGN_OR_RETURN(order.client_order_ref, record.Text("client_order_ref"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Order> MapOrder(const json::object& record, const RelatedRecords& related,
                               const std::string& database) {
  ASSIGN_OR_RETURN(const std::int64_t id, RecordReader::ReadId(kOrderModel, record));
  const RecordReader reader(kOrderModel, id, record);
  Order order;
  order.id = OrderId(id);
  RETURN_IF_ERROR(MapHead(reader, order));
  ASSIGN_OR_RETURN(order.customer, MapParty(reader, "partner_id", related.partners));
  ASSIGN_OR_RETURN(const Reference shipping, reader.Many2one("partner_shipping_id"));
  if (shipping.id == 0) {
    order.shipping = order.customer;
  } else {
    ASSIGN_OR_RETURN(order.shipping, MapParty(reader, "partner_shipping_id", related.partners));
  }
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> line_ids, reader.RequiredIds("order_line"));
  for (const std::int64_t line_id : line_ids) {
    const json::object* line = Find(related.lines, line_id);
    if (line == nullptr) return reader.Error("order_line", Unreadable(kLineModel, line_id));
    RETURN_IF_ERROR(MapLine(line_id, *line, related, database, order.items));
  }
  return order;
}

}  // namespace poller
