#include "tests/support/order_generator.h"

#include <mutex>
#include <utility>

namespace poller::test {
namespace {

const char* const kReferences[] = {"PO-1001", "OC 4500012", "注文-7", "Pedido web", ""};
const char* const kNotes[] = {"", "", "", "<p>Entregar de 9 a 13 h</p>",
                              "<p>Bitte <b>vorsichtig</b> &amp; schnell</p>"};

}  // namespace

OrderGenerator::OrderGenerator(SimDatabase& database, std::uint64_t seed)
    : database_(database), random_(seed) {
  const RecordId andina = database.AddPartner({.name = "Comercial Andina SpA",
                                               .is_company = true,
                                               .street = "Av. Providencia 1208",
                                               .zip = "7500000",
                                               .city = "Santiago",
                                               .state_id = 1185,
                                               .country_id = 46,
                                               .phone = "+56 2 2345 6789",
                                               .email = "compras@andina.example",
                                               .vat = "76.123.456-0"});
  const RecordId depot = database.AddPartner({.name = "",
                                              .parent_id = andina,
                                              .type = "delivery",
                                              .street = "Bodega 4, Ruta 68 km 12",
                                              .city = "Pudahuel",
                                              .state_id = 1185,
                                              .country_id = 46});
  const RecordId nordic = database.AddPartner({.name = "Åse & Søn Ünïcødé A/S",
                                               .is_company = true,
                                               .street = "Straße 1",
                                               .street2 = "Hinterhof",
                                               .zip = "80331",
                                               .city = "München",
                                               .country_id = 57,
                                               .phone = "+49 89 1234567",
                                               .email = "ordre@aase-soen.example"});
  const RecordId warehouse = database.AddPartner({.name = "収穫 倉庫",
                                                  .parent_id = nordic,
                                                  .type = "delivery",
                                                  .street = "丸の内1-1",
                                                  .zip = "100-0005",
                                                  .city = "千代田区",
                                                  .country_id = 113,
                                                  .phone = "+81 3 0000 0000"});
  const RecordId jane = database.AddPartner({.name = "Jane \"JJ\" O'Neil",
                                             .street = "1 Main St",
                                             .zip = "94105",
                                             .city = "San Francisco",
                                             .state_id = 13,
                                             .country_id = 233,
                                             .mobile = "+1 415 555 0100",
                                             .email = "jane@example.com"});
  const RecordId bogota = database.AddPartner({.name = "Distribuciones Bogotá Ltda.",
                                               .is_company = true,
                                               .street = "Calle 72 # 10-34",
                                               .city = "Bogotá",
                                               .state_id = 1214,
                                               .country_id = 49,
                                               .email = "pedidos@bogota.example",
                                               .vat = "900123456-7"});
  customers_ = {{andina, andina, "CLP"},
                {andina, depot, "CLP"},
                {nordic, warehouse, "EUR"},
                {jane, jane, "USD"},
                {bogota, bogota, "COP"}};

  const auto add = [&](ProductSpec spec) {
    const RecordId id = database.AddProduct(spec);
    products_.push_back(id);
  };
  add({.name = "Widget", .default_code = "WID-1", .barcode = "5901234123457", .price = 12.5});
  add({.name = "No Code Gizmo ☃", .price = 7});
  add({.name = "Barcode only", .barcode = "4006381333931", .price = 3.33});
  add({.name = "T-Shirt",
       .default_code = "TS-01",
       .price = 19.9,
       .attributes = {{"Size", "S"}, {"Colour", "Blue"}}});
  add({.name = "T-Shirt",
       .default_code = "TS-02",
       .price = 19.9,
       .attributes = {{"Size", "XL – extra"}, {"Colour", "Red"}}});
  add({.name = "Assembly service", .default_code = "SVC", .price = 50, .type = "service"});
  add({.name = "Desk, oak", .default_code = "DESK-OAK", .barcode = "4006381333948", .price = 349});
}

std::uint64_t OrderGenerator::Below(std::uint64_t bound) { return random_() % bound; }

OrderSpec OrderGenerator::MakeOrder() {
  const Customer& customer = customers_[Below(customers_.size())];
  OrderSpec order;
  order.partner_id = customer.partner;
  order.shipping_id = customer.shipping;
  order.currency = customer.currency;
  order.client_order_ref = kReferences[Below(std::size(kReferences))];
  order.note = kNotes[Below(std::size(kNotes))];
  const bool large = customer.currency == "CLP" || customer.currency == "COP";
  if (Chance(10)) order.lines.push_back({.name = "Section Ä", .display_type = "line_section"});
  for (std::uint64_t lines = 1 + Below(4); lines > 0; --lines) {
    LineSpec line;
    line.product_id = products_[Below(products_.size())];
    line.quantity = static_cast<double>(1 + Below(12));
    if (large) line.price = static_cast<double>(990 * (1 + Below(60)));
    if (Chance(25)) line.discount = 10;
    line.tax = Chance(70) ? 19 : 0;
    order.lines.push_back(line);
  }
  if (Chance(15))
    order.lines.push_back({.name = "A note\nsecond line", .display_type = "line_note"});
  return order;
}

OrderSpec OrderGenerator::NextOrder() {
  const std::lock_guard lock(mu_);
  return MakeOrder();
}

RecordId OrderGenerator::ConfirmOne(Tx tx) {
  const std::lock_guard lock(mu_);
  const RecordId id = database_.CreateConfirmedOrder(MakeOrder(), tx);
  orders_.push_back(id);
  return id;
}

std::string OrderGenerator::Edit(RecordId order) {
  const std::optional<SimOrder> found = database_.FindOrder(order);
  if (!found.has_value() || found->state != "sale") return "nothing to edit";
  for (const SimLine& line : found->lines) {
    if (line.product_id == 0) continue;
    if (Chance(50)) {
      database_.EditLineQuantity(line.id, line.quantity + 1).IgnoreError();
      return "changed a quantity of " + found->name;
    }
    database_.EditLineDescription(line.id, line.name + " (urgent)").IgnoreError();
    return "changed a description of " + found->name;
  }
  database_.EditOrderRef(order, "PO-" + std::to_string(Below(10000))).IgnoreError();
  return "changed the reference of " + found->name;
}

std::string OrderGenerator::Step() {
  const std::lock_guard lock(mu_);
  const std::string shop = database_.name() + ": ";
  const bool have_orders = !orders_.empty();
  if (have_orders && Chance(12)) return shop + Edit(orders_[Below(orders_.size())]);
  if (have_orders && Chance(5)) {
    const RecordId order = orders_[Below(orders_.size())];
    if (database_.CancelOrder(order).ok())
      return shop + "cancelled " + database_.FindOrder(order)->name;
  }
  orders_.push_back(database_.CreateConfirmedOrder(MakeOrder()));
  return shop + "confirmed " + database_.FindOrder(orders_.back())->name;
}

}  // namespace poller::test
