#include "core/orders/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>

#include "core/crypto/hash.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

Order MakeOrder() {
  Order order;
  order.id = OrderId(42);
  order.name = "S00042";
  order.state = "sale";
  order.date_order = "2026-01-15 10:30:00";
  order.write_date = "2026-01-15 10:31:02";
  order.amount_untaxed = 100;
  order.amount_tax = 19;
  order.amount_total = 119;
  order.currency = "CLP";
  order.note = "<p>a</p>";
  order.client_order_ref = "PO 1";
  order.customer = {"Åse", "a@x", "1", "CL1", {"S1", "S2", "C", "ST", "Z", "CO"}};
  order.shipping = {"Dock", "", "2", "", {"D1", "", "H", "", "Y", "DE"}};
  order.items.push_back({"SKU", "Thing", "Red", 2, 50, 100, 119, 0, 7, 99});
  return order;
}

class PayloadTest : public testing::Test {
 protected:
  PayloadTest() { CryptoInit(); }
  std::string Body(const Order& order, std::string_view event = "order.confirmed",
                   std::string_view connection = "C1", int revision = 1) {
    const auto body = RenderBody(EncodeContent(order, "shop1"), event, connection, revision);
    EXPECT_OK(body);
    return body.ok() ? *body : "";
  }
};

TEST_F(PayloadTest, WritesEveryMemberInItsOrder) {
  EXPECT_EQ(
      Body(MakeOrder()),
      R"({"event":"order.confirmed","source":"odoo","connection_id":"C1","odoo_db":"shop1",)"
      R"("order":{"id":42,"name":"S00042","state":"sale","date_order":"2026-01-15 10:30:00",)"
      R"("write_date":"2026-01-15 10:31:02","amount_untaxed":100.0,"amount_tax":19.0,)"
      R"("amount_total":119.0,"currency":"CLP","note":"<p>a</p>","client_order_ref":"PO 1",)"
      R"("revision":1},"customer":{"name":"Åse","email":"a@x","phone":"1","tax_id":"CL1",)"
      R"("address":{"street":"S1","street2":"S2","city":"C","state":"ST","zip":"Z",)"
      R"("country":"CO"}},"shipping_address":{"name":"Dock","email":"","phone":"2","tax_id":"",)"
      R"("address":{"street":"D1","street2":"","city":"H","state":"","zip":"Y","country":"DE"}},)"
      R"("items":[{"sku":"SKU","name":"Thing","variant":"Red","quantity":2.0,"unit_price":50.0,)"
      R"("subtotal":100.0,"total":119.0,"discount_percent":0.0,"odoo_product_id":7,)"
      R"("odoo_line_id":99}]})");
}

TEST_F(PayloadTest, ACancelledOrderSaysSoInItsState) {
  const std::string body = Body(MakeOrder(), "order.cancelled", "C1", 3);
  EXPECT_THAT(body, testing::StartsWith(R"({"event":"order.cancelled")"));
  EXPECT_THAT(body, HasSubstr(R"("state":"cancel","date_order")"));
  EXPECT_THAT(body, HasSubstr(R"("revision":3})"));
}

TEST_F(PayloadTest, ANumericConnectionIdIsAText) {
  EXPECT_THAT(Body(MakeOrder(), "order.updated", "17"), HasSubstr(R"("connection_id":"17")"));
}

TEST_F(PayloadTest, EscapesOnlyWhatJsonDemands) {
  Order order = MakeOrder();
  order.note = std::string("\"\\/\b\n\r\t\x01\x7f é☃ <&>") + '\0';
  EXPECT_THAT(Body(order), HasSubstr(R"("note":"\"\\/\u0008\n\r\t\u0001)"
                                     "\x7f"
                                     R"( é☃ <&>\u0000",)"));
}

TEST_F(PayloadTest, IsValidUtf8Always) {
  Order order = MakeOrder();
  order.note = "a\xFF\xED\xA0\x80z";
  EXPECT_THAT(Body(order),
              HasSubstr("\"note\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\""));
}

TEST_F(PayloadTest, AnOrderWithoutItemsHasAnEmptyList) {
  Order order = MakeOrder();
  order.items.clear();
  EXPECT_THAT(Body(order), testing::EndsWith(R"("items":[]})"));
}

TEST_F(PayloadTest, RefusesContentThatIsDamaged) {
  const std::string content = EncodeContent(MakeOrder(), "shop1");
  std::vector<std::string> damaged = {"",
                                      "1",
                                      "1\n\n\n\n",
                                      "2" + content.substr(1),
                                      content + "\n",
                                      content + "}",
                                      content.substr(0, 200)};
  for (const std::string& text : damaged) {
    EXPECT_THAT(RenderBody(text, "order.confirmed", "C1", 1), StatusIs(absl::StatusCode::kDataLoss))
        << text;
  }
}

TEST_F(PayloadTest, TheHashIgnoresTheWriteDateAlone) {
  const std::string hash = ContentHash(MakeOrder(), "shop1");
  EXPECT_THAT(hash, MatchesRegex("1:[0-9a-f]+"));
  EXPECT_EQ(hash.size(), 2U + 64U);
  Order touched = MakeOrder();
  touched.write_date = "2026-01-15 10:31:03";
  EXPECT_EQ(ContentHash(touched, "shop1"), hash);

  std::vector<Order> changed(8, MakeOrder());
  changed[0].name += "x";
  changed[1].state = "done";
  changed[2].date_order = "2026-01-15 10:30:01";
  changed[3].amount_total += 0.01;
  changed[4].customer.address.zip = "";
  changed[5].shipping.name = "Dock 2";
  changed[6].items[0].variant = "Blue";
  changed[7].items.push_back(changed[7].items[0]);
  for (const Order& order : changed) EXPECT_NE(ContentHash(order, "shop1"), hash);
  EXPECT_NE(ContentHash(MakeOrder(), "shop2"), hash);
}

// A change here makes every order of every shop look changed: it needs a new version of the hash.
TEST_F(PayloadTest, TheHashOfVersion1IsFixed) {
  EXPECT_EQ(ContentHash(MakeOrder(), "shop1"),
            "1:6c315ab3cc3df2b744eb841337b191da9706f3b47e66eb788bd3fb696ae8a8a2");
}

TEST(PlainDecimalTest, WritesTheShortestThatReadsBack) {
  EXPECT_EQ(PlainDecimal(0), "0.0");
  EXPECT_EQ(PlainDecimal(-0.0), "0.0");
  EXPECT_EQ(PlainDecimal(119), "119.0");
  EXPECT_EQ(PlainDecimal(100), "100.0");
  EXPECT_EQ(PlainDecimal(-7.5), "-7.5");
  EXPECT_EQ(PlainDecimal(0.1), "0.1");
  EXPECT_EQ(PlainDecimal(0.000001), "0.000001");
  EXPECT_EQ(PlainDecimal(19.900000000000002), "19.900000000000002");
  EXPECT_EQ(PlainDecimal(1e21), "1000000000000000000000.0");
  EXPECT_EQ(PlainDecimal(1.5e-7), "0.00000015");
  EXPECT_EQ(PlainDecimal(9007199254740993.0), "9007199254740992.0");
}

TEST(PlainDecimalTest, EveryNumberReadsBackEqual) {
  for (double value :
       {1.0 / 3, 1e300 / 7, 1e-300 / 7, std::numeric_limits<double>::max(),
        std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min(),
        -2.2250738585072011e-308, 123456789.123456789, 4.35, 2.675}) {
    const std::string text = PlainDecimal(value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    EXPECT_THAT(text, MatchesRegex("-?[0-9]+\\.[0-9]+"));
  }
}

}  // namespace
}  // namespace poller
