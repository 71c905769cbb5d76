#include "core/orders/order_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <limits>
#include <string>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

json::object Object(const char* text) { return json::parse(text).as_object(); }

class MapOrderTest : public testing::Test {
 protected:
  MapOrderTest() {
    lines_[9] =
        Object(R"({"id":9,"display_type":false,"product_id":[5,"[W] Widget"],"name":"Widget",
        "product_uom_qty":2.0,"price_unit":50.0,"discount":10.0,"price_subtotal":90.0,"price_total":107.1})");
    partners_[3] = Object(R"j({"id":3,"name":"Ada","display_name":"Ada","parent_id":false,
        "email":"ada@x","phone":"123","mobile":"456","vat":"CL9","street":"S 1","street2":false,
        "city":"Santiago","state_id":[7,"Metropolitana (CL)"],"zip":"834","country_id":[46,"Chile"]})j");
    products_[5] =
        Object(R"({"id":5,"default_code":"W","barcode":"777","product_tmpl_id":[6,"Widget"],
        "product_template_attribute_value_ids":[]})");
  }

  absl::StatusOr<Order> Map() {
    return MapOrder(order_, {lines_, partners_, products_, templates_, values_}, "shop1");
  }
  // The only item.
  OrderItem Item() {
    const absl::StatusOr<Order> order = Map();
    EXPECT_OK(order);
    if (!order.ok() || order->items.size() != 1) {
      ADD_FAILURE() << "not one item";
      return {};
    }
    return order->items[0];
  }

  json::object order_ = Object(R"({"id":42,"name":"S00042","state":"sale",
      "date_order":"2026-01-15 10:30:00","write_date":"2026-01-15 10:31:02","amount_untaxed":90.0,
      "amount_tax":17.1,"amount_total":107.1,"currency_id":[33,"CLP"],"note":false,
      "client_order_ref":false,"partner_id":[3,"Ada"],"partner_shipping_id":[3,"Ada"],"order_line":[9]})");
  RecordMap lines_, partners_, products_, templates_, values_;
};

TEST_F(MapOrderTest, MapsEveryField) {
  ASSERT_OK_AND_ASSIGN(const Order order, Map());
  Order expected;
  expected.id = OrderId(42);
  expected.name = "S00042";
  expected.state = "sale";
  expected.date_order = "2026-01-15 10:30:00";
  expected.write_date = "2026-01-15 10:31:02";
  expected.amount_untaxed = 90;
  expected.amount_tax = 17.1;
  expected.amount_total = 107.1;
  expected.currency = "CLP";
  expected.customer = {
      "Ada", "ada@x", "123", "CL9", {"S 1", "", "Santiago", "Metropolitana (CL)", "834", "Chile"}};
  expected.shipping = expected.customer;
  expected.items.push_back({"W", "Widget", "", 2, 50, 90, 107.1, 10, 5, 9});
  EXPECT_EQ(order, expected);
}

TEST_F(MapOrderTest, WithoutShippingPartnerTheCustomersDataCount) {
  order_["partner_shipping_id"] = false;
  ASSERT_OK_AND_ASSIGN(const Order order, Map());
  EXPECT_EQ(order.shipping, order.customer);
  EXPECT_EQ(order.shipping.name, "Ada");
}

TEST_F(MapOrderTest, APhoneThatIsEmptyIsTheMobile) {
  partners_[3]["phone"] = false;
  ASSERT_OK_AND_ASSIGN(const Order order, Map());
  EXPECT_EQ(order.customer.phone, "456");
  partners_[3].erase("mobile");
  ASSERT_OK_AND_ASSIGN(const Order without, Map());
  EXPECT_EQ(without.customer.phone, "");
}

TEST_F(MapOrderTest, ANamelessAddressGoesByItsParent) {
  order_["partner_shipping_id"] = json::array{4, "Acme, Inc., Delivery"};
  partners_[4] = Object(R"({"id":4,"name":false,"parent_id":[8,"Holding, Acme, Inc."],
      "display_name":"Acme, Inc., Delivery"})");
  partners_[8] = Object(R"({"id":8,"name":"Acme, Inc."})");
  EXPECT_EQ(Map()->shipping.name, "Acme, Inc.");
  partners_.erase(8);
  EXPECT_EQ(Map()->shipping.name, "Holding, Acme, Inc.");
  partners_[4]["parent_id"] = false;
  EXPECT_EQ(Map()->shipping.name, "Acme, Inc.");
  partners_[4]["display_name"] = "Dock";
  EXPECT_EQ(Map()->shipping.name, "Dock");
}

TEST_F(MapOrderTest, TheSkuIsTheFirstCodeThatThereIs) {
  EXPECT_EQ(Item().sku, "W");
  products_[5]["default_code"] = false;
  EXPECT_EQ(Item().sku, "777");
  products_[5]["barcode"] = false;
  templates_[6] = Object(R"({"id":6,"default_code":"TPL"})");
  EXPECT_EQ(Item().sku, "TPL");
  templates_[6]["default_code"] = false;
  EXPECT_EQ(Item().sku, "ODOO-shop1-5");
  products_[5].erase("barcode");
  products_[5].erase("product_tmpl_id");
  EXPECT_EQ(Item().sku, "ODOO-shop1-5");
}

TEST_F(MapOrderTest, NeverGuessesASku) {
  RecordMap products;
  std::swap(products, products_);
  EXPECT_THAT(Map(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("sale.order.line 9"), HasSubstr("product.product 5"))));
  std::swap(products, products_);
  products_[5]["default_code"] = false;
  products_[5]["barcode"] = false;
  EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("product.template 6")));
  products_[5].erase("default_code");
  products_[5]["barcode"] = 5;
  EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("barcode")));
}

TEST_F(MapOrderTest, TheVariantIsTheAttributesInTheProductsOrder) {
  products_[5]["product_template_attribute_value_ids"] = json::array{12, 11};
  values_[11] = Object(R"({"id":11,"name":"XL"})");
  values_[12] = Object(R"({"id":12,"name":"Red"})");
  EXPECT_EQ(Item().variant, "Red, XL");
  values_.erase(11);
  EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("product.template.attribute.value 11")));
}

TEST_F(MapOrderTest, LeavesOutWhatIsNotSold) {
  for (const char* change :
       {R"({"display_type":"line_section"})", R"({"display_type":"line_note"})",
        R"({"product_uom_qty":0.0})", R"({"product_uom_qty":-0.0})", R"({"product_uom_qty":0})"}) {
    const json::object before = lines_[9];
    for (const auto& member : Object(change)) lines_[9][member.key()] = member.value();
    ASSERT_OK_AND_ASSIGN(const Order order, Map());
    EXPECT_THAT(order.items, IsEmpty()) << change;
    lines_[9] = before;
  }
}

TEST_F(MapOrderTest, ALineWithoutProductHasNoSku) {
  lines_[9]["product_id"] = false;
  const OrderItem item = Item();
  EXPECT_EQ(item.sku, "");
  EXPECT_EQ(item.product_id, 0);
  EXPECT_EQ(item.quantity, 2);
}

TEST_F(MapOrderTest, KeepsReturnsAndTheOrderOfLines) {
  lines_[8] = lines_[9];
  lines_[8]["id"] = 8;
  lines_[8]["product_uom_qty"] = -1;
  order_["order_line"] = json::array{9, 8};
  ASSERT_OK_AND_ASSIGN(const Order order, Map());
  ASSERT_THAT(order.items, SizeIs(2));
  EXPECT_EQ(order.items[1].line_id, 8);
  EXPECT_EQ(order.items[1].quantity, -1);
}

TEST_F(MapOrderTest, FieldsThatADatabaseLacksAreEmpty) {
  for (const char* field : {"date_order", "amount_tax", "currency_id", "note", "client_order_ref",
                            "partner_id", "partner_shipping_id"}) {
    order_.erase(field);
  }
  for (const char* field : {"display_type", "name", "price_unit", "discount"})
    lines_[9].erase(field);
  ASSERT_OK_AND_ASSIGN(const Order order, Map());
  EXPECT_EQ(order.currency, "");
  EXPECT_EQ(order.amount_tax, 0);
  EXPECT_EQ(order.customer, Party());
}

TEST_F(MapOrderTest, RefusesAnOrderWithoutItsIdentity) {
  const json::object whole = order_;
  for (const char* field : {"id", "name", "state", "write_date", "order_line"}) {
    order_ = whole;
    order_.erase(field);
    EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr("sale.order"), HasSubstr(field))));
  }
  for (const char* field : {"name", "state", "write_date"}) {
    order_ = whole;
    order_[field] = false;
    EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  }
  order_ = whole;
  for (const char* field : {"product_id", "product_uom_qty"}) {
    const json::object line = lines_[9];
    lines_[9].erase(field);
    EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr("sale.order.line 9"), HasSubstr(field))));
    lines_[9] = line;
  }
}

TEST_F(MapOrderTest, NamesTheFieldThatIsOdd) {
  const std::pair<const char*, const char*> odd[] = {{"id", "0"},
                                                     {"id", "-1"},
                                                     {"id", "9007199254740993"},
                                                     {"id", "1.5"},
                                                     {"id", "\"42\""},
                                                     {"name", "5"},
                                                     {"state", "true"},
                                                     {"date_order", "\"yesterday\""},
                                                     {"write_date", "\"2026-01-15T10:31:02\""},
                                                     {"amount_total", "\"107.1\""},
                                                     {"amount_total", "false"},
                                                     {"amount_tax", "null"},
                                                     {"currency_id", "33"},
                                                     {"currency_id", "[33]"},
                                                     {"currency_id", "[33,5]"},
                                                     {"currency_id", "[0,\"CLP\"]"},
                                                     {"note", "[]"},
                                                     {"client_order_ref", "7"},
                                                     {"partner_id", "[4,\"gone\"]"},
                                                     {"partner_shipping_id", "\"Ada\""},
                                                     {"order_line", "\"9\""},
                                                     {"order_line", "[9,\"x\"]"},
                                                     {"order_line", "[9,10]"},
                                                     {"order_line", "{}"}};
  const json::object whole = order_;
  for (const auto& [field, value] : odd) {
    order_ = whole;
    order_[field] = json::parse(value);
    EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)))
        << field << " " << value;
  }
}

TEST_F(MapOrderTest, RefusesNumbersThatAreNotFinite) {
  order_["amount_total"] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument,
                              "sale.order 42: amount_total is not a finite number"));
  order_["amount_total"] = 1;
  lines_[9]["price_unit"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Map(), StatusIs(absl::StatusCode::kInvalidArgument,
                              "sale.order.line 9: price_unit is not a finite number"));
}

TEST_F(MapOrderTest, ReplacesBadBytes) {
  order_["note"] = "a\xFFz";
  EXPECT_EQ(Map()->note, "a\xEF\xBF\xBDz");
}

}  // namespace
}  // namespace poller
