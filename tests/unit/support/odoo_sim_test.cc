#include "tests/support/odoo_sim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "tests/unit/support/odoo_client.h"
#include "tests/unit/support/raw_client.h"

namespace poller::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace json = boost::json;

// The arguments of a search without conditions.
const boost::json::array kEverything = {boost::json::array()};

class OdooSimTest : public ::testing::Test {
 protected:
  OdooSimTest() : db_(sim_.AddDatabase("shop1")), client_(sim_) {
    partner_ =
        db_.AddPartner({.name = "Acme", .is_company = true, .city = "Santiago", .country_id = 46});
    product_ = db_.AddProduct({.name = "Widget", .default_code = "WID", .price = 12.5});
  }
  RecordId NewOrder(RecordId user = 2, RecordId company = 1) {
    return db_.CreateConfirmedOrder({.partner_id = partner_,
                                     .lines = {{.product_id = product_, .quantity = 2}},
                                     .user_id = user,
                                     .company_id = company});
  }
  json::value OrderField(RecordId order, const char* field) {
    return client_.Result("sale.order", "read", {{order}}, {{"fields", {field}}}).at(0).at(field);
  }

  OdooSim sim_;
  SimDatabase& db_;
  OdooTestClient client_;
  RecordId partner_ = 0;
  RecordId product_ = 0;
};

TEST_F(OdooSimTest, ComputesAmountsAsOdooDoes) {
  const RecordId order = db_.CreateOrder(
      {.partner_id = partner_,
       .lines = {
           {.product_id = product_, .quantity = 2, .discount = 10, .tax = 19},
           {.product_id = product_, .quantity = 12, .price = 0.33, .discount = 33.33, .tax = 19}}});
  const SimOrder placed = *db_.FindOrder(order);
  EXPECT_EQ(placed.lines.at(0).price_subtotal, 22.5);
  EXPECT_EQ(placed.lines.at(0).price_total, 26.78);
  EXPECT_EQ(placed.lines.at(1).price_subtotal, 2.64);
  EXPECT_EQ(placed.lines.at(1).price_total, 3.14);
  EXPECT_EQ(placed.amount_untaxed, 25.14);
  EXPECT_EQ(placed.amount_tax, 4.78);
  EXPECT_EQ(placed.amount_total, 29.92);
}

TEST_F(OdooSimTest, RoundsToTheCurrency) {
  const RecordId order =
      db_.CreateOrder({.partner_id = partner_,
                       .lines = {{.product_id = product_, .price = 999.5, .tax = 19}},
                       .currency = "CLP"});
  EXPECT_EQ(db_.FindOrder(order)->amount_untaxed, 1000);
  EXPECT_EQ(db_.FindOrder(order)->amount_total, 1190);
}

TEST_F(OdooSimTest, WritesNumbersAndTextAsPythonDoes) {
  const RecordId order = NewOrder();
  ASSERT_TRUE(db_.EditOrderRef(order, "Ünï 😀").ok());
  const TestReply reply = client_.Send("sale.order", "read", {{order}},
                                       {{"fields", {"amount_total", "client_order_ref"}}});
  EXPECT_THAT(reply.body, HasSubstr("\"amount_total\": 25.0"));
  EXPECT_THAT(reply.body, HasSubstr(R"("\u00dcn\u00ef \ud83d\ude00")"));
}

TEST_F(OdooSimTest, NamesVariantsAndNamelessAddresses) {
  const RecordId shirt = db_.AddProduct(
      {.name = "Shirt", .default_code = "S-1", .attributes = {{"Size", "XL"}, {"Colour", "Red"}}});
  EXPECT_EQ(client_.Result("product.product", "read", {{shirt}}, {{"fields", {"display_name"}}})
                .at(0)
                .at("display_name")
                .as_string(),
            "[S-1] Shirt (XL, Red)");
  const RecordId dock = db_.AddPartner({.name = "", .parent_id = partner_, .type = "delivery"});
  const json::value address =
      client_.Result("res.partner", "read", {{dock}}, {{"fields", {"name", "display_name"}}}).at(0);
  EXPECT_EQ(address.at("name"), json::value(false));
  EXPECT_EQ(address.at("display_name").as_string(), "Acme, Delivery Address");
}

TEST_F(OdooSimTest, CombinesDomainTerms) {
  const RecordId first = NewOrder();
  const RecordId second = NewOrder();
  ASSERT_TRUE(db_.CancelOrder(second).ok());
  ASSERT_TRUE(db_.EditOrderRef(first, "PO-17").ok());
  EXPECT_THAT(client_.Search("sale.order", R"([["state", "=", "sale"]])"), ElementsAre(first));
  EXPECT_THAT(client_.Search("sale.order", R"([["state", "in", ["sale", "done"]]])"),
              ElementsAre(first));
  EXPECT_THAT(client_.Search("sale.order", R"([["state", "not in", ["sale"]]])"),
              ElementsAre(second));
  EXPECT_THAT(client_.Search("sale.order", R"(["!", ["state", "=", "sale"]])"),
              ElementsAre(second));
  EXPECT_THAT(
      client_.Search("sale.order", R"(["&", ["state", "=", "sale"], ["state", "=", "cancel"]])"),
      IsEmpty());
  EXPECT_THAT(
      client_.Search("sale.order", R"(["|", ["state", "=", "sale"], ["state", "=", "cancel"]])",
                     {{"order", "id desc"}}),
      ElementsAre(second, first));
  EXPECT_THAT(client_.Search("sale.order", R"([["client_order_ref", "ilike", "po-"]])"),
              ElementsAre(first));
  EXPECT_THAT(client_.Search("sale.order", R"([["client_order_ref", "like", "po-"]])"), IsEmpty());
  EXPECT_THAT(client_.Search("sale.order", R"([["client_order_ref", "=like", "PO-%"]])"),
              ElementsAre(first));
  EXPECT_THAT(client_.Search("sale.order", R"([["client_order_ref", "=", false]])"),
              ElementsAre(second));
  EXPECT_THAT(client_.Search("sale.order", R"([["client_order_ref", "!=", false]])"),
              ElementsAre(first));
  EXPECT_THAT(
      client_.Search("sale.order", R"([["client_order_ref", "!=", "x"]])", {{"order", "id"}}),
      ElementsAre(first, second));
  EXPECT_THAT(
      client_.Search("sale.order",
                     R"([["partner_id.country_id.code", "=", "CL"], ["amount_total", ">", 24]])",
                     {{"order", "id"}}),
      ElementsAre(first, second));
  EXPECT_THAT(client_.Search("sale.order.line", R"([["order_id.state", "=", "cancel"]])").size(),
              1U);
}

TEST_F(OdooSimTest, OrdersLimitsAndSkips) {
  for (int i = 0; i < 5; ++i) NewOrder();
  const auto all = client_.Search("sale.order", "[]", {{"order", "id"}});
  EXPECT_THAT(client_.Search("sale.order", "[]",
                             {{"order", "state asc, id desc"}, {"limit", 2}, {"offset", 1}}),
              ElementsAre(all[3], all[2]));
  EXPECT_EQ(client_.Error("sale.order", "search", kEverything, {{"order", "id sideways"}}),
            "odoo.exceptions.UserError");
}

TEST_F(OdooSimTest, ServesAnOwnDocumentsUserOnlyTheirOwn) {
  const RecordId uid =
      db_.AddUser({.login = "ana", .api_key = "ana-key", .rights = Rights::kOwnDocuments});
  const RecordId theirs = NewOrder(uid);
  const RecordId others = NewOrder(2);
  const OdooTestClient ana(sim_, "shop1", uid, "ana-key");
  EXPECT_THAT(ana.Search("sale.order", "[]"), ElementsAre(theirs));
  EXPECT_EQ(ana.Error("sale.order", "read", {{theirs, others}}, {{"fields", {"name"}}}),
            "odoo.exceptions.AccessError");
  db_.SetRights("ana", Rights::kNone);
  EXPECT_EQ(ana.Error("sale.order", "search", kEverything), "odoo.exceptions.AccessError");
  EXPECT_EQ(ana.Result("sale.order", "check_access_rights", {"read", false}), json::value(false));
}

TEST_F(OdooSimTest, KeepsCompaniesApart) {
  const RecordId other = db_.AddCompany("Other");
  const RecordId uid =
      db_.AddUser({.login = "both", .api_key = "both-key", .companies = {1, other}});
  const RecordId here = NewOrder(2, 1);
  const RecordId there = NewOrder(2, other);
  const OdooTestClient both(sim_, "shop1", uid, "both-key");
  EXPECT_THAT(both.Search("sale.order", "[]", {{"order", "id"}}), ElementsAre(here, there));
  EXPECT_THAT(both.Search("sale.order", "[]", {{"context", {{"allowed_company_ids", {other}}}}}),
              ElementsAre(there));
  EXPECT_THAT(client_.Search("sale.order", "[]"), ElementsAre(here));
  EXPECT_EQ(client_.Error("sale.order", "read", {{there}}, {{"fields", {"name"}}}),
            "odoo.exceptions.AccessError");
}

TEST_F(OdooSimTest, OneForbiddenRecordFailsTheWholeReadButNotTheListing) {
  const RecordId good = NewOrder();
  const RecordId bad = NewOrder();
  db_.SetRecordFault("sale.order", bad, {});
  EXPECT_EQ(client_.Error("sale.order", "read", {{good, bad}}, {{"fields", {"name"}}}),
            "odoo.exceptions.AccessError");
  EXPECT_EQ(client_.Error("sale.order", "search_read", kEverything,
                          {{"fields", {"id", "write_date", "state"}}}),
            "");
  EXPECT_EQ(client_.Error("sale.order", "read", {{good}}, {{"fields", {"name"}}}), "");
  db_.ClearRecordFaults();
  db_.SetRecordFault("product.product", product_, {.kind = RecordFault::Kind::kHang});
  EXPECT_EQ(client_.Send("product.product", "read", {{product_}}, {{"fields", {"name"}}}).ending,
            Ending::kHang);
  const json::object nested = {
      {"order_line", {{"fields", {{"product_id", {{"fields", {{"name", json::object()}}}}}}}}}};
  EXPECT_EQ(client_.Send("sale.order", "web_read", {{good}}, {{"specification", nested}}).ending,
            Ending::kHang);
}

TEST_F(OdooSimTest, RefusesARevokedKey) {
  const json::array login = {"shop1", "admin", "admin-key", json::object()};
  EXPECT_THAT(client_.Post("common", "authenticate", login).body, HasSubstr("\"result\": 2"));
  db_.SetKey("admin", "");
  EXPECT_THAT(client_.Post("common", "authenticate", login).body, HasSubstr("\"result\": false"));
  EXPECT_EQ(client_.Error("sale.order", "search", kEverything), "odoo.exceptions.AccessDenied");
}

TEST_F(OdooSimTest, TellsADatabaseThatIsNoOdoo) {
  sim_.AddForeignDatabase("wiki");
  EXPECT_EQ(OdooTestClient(sim_, "wiki").Error("sale.order", "search", kEverything),
            "builtins.KeyError");
}

TEST_F(OdooSimTest, HasTheOlderMethodsIn16) {
  OdooSim old({.version = 16});
  old.AddDatabase("shop1");
  const OdooTestClient client(old);
  EXPECT_EQ(
      client.Error("sale.order", "web_read", {json::array{1}}, {{"specification", json::object()}}),
      "builtins.AttributeError");
  EXPECT_EQ(client.Error("sale.order", "web_search_read", {},
                         {{"domain", json::array()}, {"specification", json::object()}}),
            "builtins.TypeError");
}

TEST_F(OdooSimTest, AMethodThatReturnsNothingHasNoResult) {
  const RecordId order = NewOrder();
  EXPECT_EQ(client_.Call("sale.order", "action_lock", {{order}}).size(), 2U);
  EXPECT_EQ(OrderField(order, "locked"), json::value(true));
}

TEST_F(OdooSimTest, CountsCallsAndLetsATestStepBetweenThem) {
  const RecordId order = NewOrder();
  sim_.SetBeforeCall([&](const OdooCall& call) {
    if (call.method != "read") return;
    EXPECT_TRUE(db_.EditOrderRef(order, "changed meanwhile").ok());
  });
  EXPECT_EQ(OrderField(order, "client_order_ref").as_string(), "changed meanwhile");
  ASSERT_EQ(sim_.Calls().size(), 1U);
  EXPECT_EQ(sim_.Calls()[0].db, "shop1");
  EXPECT_EQ(sim_.Calls()[0].model, "sale.order");
  EXPECT_EQ(sim_.Calls()[0].records, 1);
}

TEST_F(OdooSimTest, FailsOneDatabaseModelOrMethodAlone) {
  sim_.AddDatabase("shop2");
  sim_.faults().Add({.kind = OdooFault::Kind::kStatus,
                     .db = "shop2",
                     .status = 503,
                     .retry_after = absl::Seconds(9)});
  sim_.faults().Add({.kind = OdooFault::Kind::kPostgresDown, .model = "res.partner"});
  const TestReply refused = OdooTestClient(sim_, "shop2").Send("sale.order", "search", kEverything);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "9");
  EXPECT_THAT(refused.headers.Get("Content-Type"), HasSubstr("text/html"));
  EXPECT_EQ(client_.Error("sale.order", "search", kEverything), "");
  EXPECT_EQ(client_.Error("res.partner", "search", kEverything), "psycopg2.OperationalError");
  sim_.faults().Clear();
  EXPECT_EQ(client_.Error("res.partner", "search", kEverything), "");
}

TEST_F(OdooSimTest, AFaultCanHitAFewCallsOnly) {
  sim_.faults().Add({.kind = OdooFault::Kind::kStatus, .times = 2, .status = 502});
  EXPECT_EQ(client_.Send("sale.order", "search", kEverything).status, 502);
  EXPECT_EQ(client_.Send("sale.order", "search", kEverything).status, 502);
  EXPECT_EQ(client_.Send("sale.order", "search", kEverything).status, 200);
}

TEST_F(OdooSimTest, BendsAnswers) {
  NewOrder();
  const auto with = [&](OdooFault fault) {
    sim_.faults().Clear();
    sim_.faults().Add(std::move(fault));
    return client_.Send("sale.order", "search_read", kEverything, {{"fields", {"name"}}});
  };
  using Kind = OdooFault::Kind;
  EXPECT_EQ(with({.kind = Kind::kHang}).ending, Ending::kHang);
  EXPECT_EQ(with({.kind = Kind::kReset}).ending, Ending::kReset);
  EXPECT_EQ(with({.kind = Kind::kSlow, .delay = absl::Seconds(3)}).delay, absl::Seconds(3));
  EXPECT_EQ(with({.kind = Kind::kHuge, .bytes = 1ULL << 40}).filler, 1ULL << 40);
  EXPECT_THAT(with({.kind = Kind::kTruncated}).body, Not(EndsWith("}")));
  EXPECT_THAT(with({.kind = Kind::kInvalidUtf8}).body, HasSubstr("\xff"));
  EXPECT_THAT(with({.kind = Kind::kWrongContentType}).headers.Get("Content-Type"),
              HasSubstr("html"));
  EXPECT_FALSE(with({.kind = Kind::kNoDate}).headers.Has("Date"));
  EXPECT_FALSE(with({.kind = Kind::kNoDate}).send_date);
  EXPECT_THAT(with({.kind = Kind::kError, .name = "builtins.MemoryError"}).body,
              HasSubstr("builtins.MemoryError"));
}

// What Odoo's documentation tells of 16 and 22; no recording shows them.
TEST_F(OdooSimTest, SpeaksTheProtocolsOfItsVersion) {
  const auto status = [&](const std::string& method, const std::string& path) {
    return sim_
        .Handle(method, path,
                {{"Content-Type", "application/json"}, {"Authorization", "bearer admin-key"}}, "{}")
        .status;
  };
  for (const int version : {16, 17, 18}) {
    sim_.SetVersion(version);
    EXPECT_EQ(status("POST", "/jsonrpc"), 200) << version;
    EXPECT_EQ(status("POST", "/json/2/res.users/context_get"), 404) << version;
    EXPECT_EQ(status("GET", "/web/version"), 404) << version;
  }
  sim_.SetVersion(19);
  EXPECT_EQ(status("POST", "/jsonrpc"), 200);
  EXPECT_EQ(status("POST", "/json/2/res.users/context_get"), 200);
  EXPECT_EQ(status("GET", "/web/version"), 200);
  sim_.SetVersion(22);
  EXPECT_EQ(status("POST", "/jsonrpc"), 404);
  EXPECT_EQ(status("POST", "/json/2/res.users/context_get"), 200);
  EXPECT_EQ(status("GET", "/web/version"), 200);
}

TEST_F(OdooSimTest, KeepsItsDataAcrossUpgrades) {
  sim_.SetVersion(16);
  const RecordId order = NewOrder();
  ASSERT_TRUE(db_.LockOrder(order).ok());
  EXPECT_EQ(db_.FindOrder(order)->state, "done");
  const SimOrder before = *db_.FindOrder(order);
  const json::value partner =
      client_.Result("res.partner", "read", {{partner_}}, {{"fields", {"mobile"}}});
  sim_.SetVersion(19);
  const SimOrder after = *db_.FindOrder(order);
  EXPECT_EQ(after.state, "sale");
  EXPECT_EQ(OrderField(order, "locked"), json::value(true));
  EXPECT_EQ(after.name, before.name);
  EXPECT_EQ(after.write_date, before.write_date);
  EXPECT_EQ(after.amount_total, before.amount_total);
  const json::value line = client_.Result("sale.order.line", "read", {{after.lines.at(0).id}},
                                          {{"fields", {"product_uom_id", "order_id"}}});
  EXPECT_TRUE(line.at(0).at("product_uom_id").is_array());
  EXPECT_EQ(client_.Error("res.partner", "read", {{partner_}}, {{"fields", {"mobile"}}}),
            "builtins.ValueError");
  EXPECT_GT(NewOrder(), order);
}

TEST_F(OdooSimTest, KeysEnd) {
  sim_.SetVersion(18);
  db_.SetKey("admin", "admin-key", db_.Now() + absl::Hours(24));
  const json::value keys =
      client_.Result("res.users.apikeys", "search_read", {json::parse(R"([["user_id","=",2]])")},
                     {{"fields", {"expiration_date"}}});
  EXPECT_TRUE(keys.at(0).at("expiration_date").is_string()) << json::serialize(keys);
  db_.SetKey("admin", "admin-key", db_.Now() - absl::Hours(24));
  EXPECT_EQ(client_.Error("sale.order", "search", kEverything), "odoo.exceptions.AccessDenied");
}

TEST_F(OdooSimTest, ServesOverASocket) {
  NewOrder();
  const auto server = sim_.Serve();
  RawClient client(server->port());
  client.Post("/jsonrpc", R"({"params": {"service": "common", "method": "version", "args": []}})",
              "Content-Type: application/json\r\n");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(HasSubstr("\"server_serie\": \"17.0\""), HasSubstr("\r\nDate: ")));
}

}  // namespace
}  // namespace poller::test
