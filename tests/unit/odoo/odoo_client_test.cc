#include "core/odoo/odoo_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/recorded_odoo.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Rows = std::vector<json::object>;

constexpr char kKey[] = "a-very-secret-key";
constexpr char kAccessError[] = "odoo.exceptions.AccessError";
constexpr char kTopSecret[] = "Uh-oh! Looks like you have stumbled upon some top-secret records.";

Target MakeTarget(const std::string& database) {
  Target target;
  target.url = "https://shop.example";
  target.database = database;
  target.username = "poller";
  target.api_key = Secret(kKey);
  target.protocol = OdooProtocol::kJsonRpc;
  return target;
}

absl::Time At(const char* text) { return *ParseOdooTime(text); }

// Reads are plain unless a test allows nested ones.
class ClientTest : public testing::Test {
 protected:
  ClientTest() { odoo_.nested = false; }
  // The kwargs of the newest call.
  json::object Arguments() const {
    return json::parse(http_.requests.back().body).at("params").at("args").at(6).as_object();
  }
  std::optional<ErrorKind> KindOf(const absl::Status& status) { return ErrorKindOf(status); }

  RecordedOdoo odoo_{"17"};
  ScriptedHttp http_{[this](const HttpRequest& request) { return odoo_.Answer(request); }};
  Client client_{http_, MakeTarget(odoo_.database()), Session()};
  const absl::Time from_ = At("2026-11-24 14:25:51");
};

TEST_F(ClientTest, LogsInOnceAndKeepsTheUid) {
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 5)));
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 5)));
  EXPECT_THAT(odoo_.calls,
              ElementsAre("authenticate", "sale.order.search_read", "sale.order.search_read"));
  EXPECT_EQ(client_.session().uid, 2);
}

TEST_F(ClientTest, DoesNotLogInWithAStoredUid) {
  Session session;
  session.uid = 7;
  Client client(http_, MakeTarget(odoo_.database()), session);
  ASSERT_OK(Await(client.ListOrders(from_, OrderId(20), 5)));
  EXPECT_EQ(odoo_.Count("authenticate"), 0);
}

TEST_F(ClientTest, LogsInAgainOnceWhenTheUidIsRefused) {
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 5)));
  odoo_.calls.clear();
  odoo_.FailNext("sale.order.search_read",
                 ErrorAnswer("odoo.exceptions.AccessDenied", "Access Denied"));
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 5)));
  EXPECT_EQ(odoo_.Count("authenticate"), 1);
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), 2);
}

TEST_F(ClientTest, ReportsTheSecondRefusal) {
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 5)));
  for (int i = 0; i < 2; ++i) {
    odoo_.FailNext("sale.order.search_read",
                   ErrorAnswer("odoo.exceptions.AccessDenied", "Access Denied"));
  }
  const auto page = Await(client_.ListOrders(from_, OrderId(20), 5));
  EXPECT_EQ(KindOf(page.status()), ErrorKind::kCredentials);
  EXPECT_EQ(odoo_.Count("authenticate"), 2);
}

TEST_F(ClientTest, ARefusedLoginIsAboutCredentials) {
  for (const char* file :
       {"17/05-authenticate-bad-password.json", "17/06-authenticate-unknown-login.json"}) {
    odoo_.FailNext("authenticate", LoadRecording(file).body.as_object());
    const absl::Status status = Await(client_.Login());
    EXPECT_EQ(KindOf(status), ErrorKind::kCredentials);
    EXPECT_THAT(std::string(Message(status)), HasSubstr("poller"));
    EXPECT_EQ(client_.session().uid, 0);
  }
}

TEST_F(ClientTest, ALoginThatAnswersNonsenseIsGarbage) {
  for (const char* answer : {R"({"result":true})", R"({"result":0})", R"({"result":"2"})",
                             R"({"result":-4})", R"({"result":9007199254740993})", "{}"}) {
    odoo_.FailNext("authenticate", json::parse(answer).as_object());
    EXPECT_EQ(KindOf(Await(client_.Login())), ErrorKind::kGarbage) << answer;
  }
}

TEST_F(ClientTest, AsksForTheWindowAsEveryVersionUnderstandsIt) {
  ASSERT_OK(Await(client_.ListOrders(from_ + absl::Milliseconds(700), OrderId(20), 5)));
  EXPECT_EQ(json::serialize(Arguments()),
            R"({"domain":[["state","in",["sale","done","cancel"]],)"
            R"(["write_date",">=","2026-11-24 14:25:51"],["id",">",20]],)"
            R"("fields":["id","write_date","state"],"order":"id","limit":5,)"
            R"("context":{"active_test":false}})");
}

TEST_F(ClientTest, AWindowWithoutBeginningIsALegalTime) {
  ASSERT_OK(Await(client_.ListOrders(absl::InfinitePast(), OrderId(), 5)));
  EXPECT_THAT(
      json::serialize(Arguments()),
      HasSubstr(
          R"([["state","in",["sale","done","cancel"]],["write_date",">=","1970-01-01 00:00:00"])"));
}

TEST_F(ClientTest, PagesByIdThroughOrdersOfOneWriteDate) {
  std::vector<std::int64_t> seen;
  OrderId after(20);
  for (bool complete = false; !complete;) {
    ASSERT_OK_AND_ASSIGN(const OrderPage page, Await(client_.ListOrders(from_, after, 4)));
    for (const ListedOrder& order : page.orders) {
      EXPECT_EQ(order.write_date, "2026-11-24 14:25:51");
      EXPECT_EQ(order.state, "sale");
      seen.push_back(order.id.value());
    }
    complete = page.complete;
    after = page.orders.back().id;
  }
  EXPECT_THAT(seen, ElementsAre(21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), 3);
}

TEST_F(ClientTest, RefusesAPageThatDoesNotGoOn) {
  odoo_.touch = [](const std::string&, Rows& rows) { std::swap(rows[0], rows[1]); };
  EXPECT_EQ(KindOf(Await(client_.ListOrders(from_, OrderId(20), 5)).status()), ErrorKind::kGarbage);
  odoo_.touch = nullptr;
  ASSERT_OK(Await(client_.ListOrders(from_, OrderId(20), 10)));
  odoo_.touch = [](const std::string&, Rows& rows) { rows[0]["id"] = 19; };
  EXPECT_EQ(KindOf(Await(client_.ListOrders(from_, OrderId(20), 10)).status()),
            ErrorKind::kGarbage);
}

TEST_F(ClientTest, RefusesRowsThatAreOdd) {
  const std::pair<const char*, const char*> odd[] = {{"id", "0"},
                                                     {"id", "-5"},
                                                     {"id", "21.5"},
                                                     {"id", "\"21\""},
                                                     {"id", "1e400"},
                                                     {"id", "9007199254740993"},
                                                     {"id", "18446744073709551615"},
                                                     {"write_date", "5"},
                                                     {"write_date", "\"2026-11-24T14:25:51Z\""},
                                                     {"write_date", "\"2026-11-24 14:25:51.5\""},
                                                     {"state", "false"},
                                                     {"state", "[]"}};
  for (const auto& [field, value] : odd) {
    odoo_.touch = [&](const std::string&, Rows& rows) { rows[0][field] = json::parse(value); };
    const auto page = Await(client_.ListOrders(from_, OrderId(20), 10));
    EXPECT_EQ(KindOf(page.status()), ErrorKind::kGarbage) << field << " " << value;
  }
}

TEST_F(ClientTest, GivesTheDateOfTheAnswer) {
  ASSERT_OK_AND_ASSIGN(const OrderPage page, Await(client_.ListOrders(from_, OrderId(20), 5)));
  EXPECT_EQ(page.date, At("2026-11-24 14:30:00"));
  EXPECT_EQ(client_.last_date(), At("2026-11-24 14:30:00"));
  odoo_.date = "yesterday";
  ASSERT_OK_AND_ASSIGN(const OrderPage odd, Await(client_.ListOrders(from_, OrderId(20), 5)));
  EXPECT_EQ(odd.date, std::nullopt);
}

TEST_F(ClientTest, NarrowsToTheCompaniesOfTheConnection) {
  Target target = MakeTarget(odoo_.database());
  target.company_ids = {1, 3};
  Client client(http_, target, Session());
  ASSERT_OK(Await(client.ReadOrders({OrderId(21)})));
  for (std::size_t i = 1; i < http_.requests.size(); ++i) {  // all but the login
    EXPECT_THAT(http_.requests[i].body, HasSubstr(R"("allowed_company_ids":[1,3])"));
  }
}

TEST_F(ClientTest, TakesItsLimitsFromTheTarget) {
  Target target = MakeTarget(odoo_.database());
  target.timeout = absl::Seconds(4);
  target.max_response_bytes = 1234;
  target.ca_pem = "PEM";
  Client client(http_, target, Session());
  ASSERT_OK(Await(client.Version()));
  EXPECT_EQ(http_.requests[0].timeout, absl::Seconds(4));
  EXPECT_EQ(http_.requests[0].connect_timeout, absl::Seconds(4));
  EXPECT_EQ(http_.requests[0].max_response_bytes, 1234);
  EXPECT_EQ(http_.requests[0].ca_pem, "PEM");
}

TEST_F(ClientTest, AHundredOrdersTakeNoMoreCallsThanOne) {
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call == "sale.order.line.read" || rows.empty()) return;
    if (!call.starts_with("sale.order")) return;
    const json::object first = rows[0];
    rows.clear();
    for (int i = 0; i < 100; ++i) {
      rows.push_back(first);
      rows.back()["id"] = 1000 + i;
    }
  };
  std::vector<OrderId> ids = {OrderId(21)};
  for (int i = 0; i < 100; ++i) ids.emplace_back(1000 + i);
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_.ReadOrders(ids)));
  EXPECT_THAT(fetched.orders, SizeIs(100));
  EXPECT_THAT(
      odoo_.calls,
      ElementsAre("authenticate", "sale.order.fields_get", "sale.order.line.fields_get",
                  "res.partner.fields_get", "product.product.fields_get",
                  "product.template.fields_get", "product.template.attribute.value.fields_get",
                  "sale.order.web_read", "sale.order.search_read", "sale.order.line.read",
                  "res.partner.read", "product.product.read", "sale.order.read"));
  // It knows now what this Odoo cannot.
  odoo_.calls.clear();
  ASSERT_OK(Await(client_.ReadOrders(ids)));
  EXPECT_THAT(odoo_.calls,
              ElementsAre("sale.order.search_read", "sale.order.line.read", "res.partner.read",
                          "product.product.read", "sale.order.read"));
}

TEST_F(ClientTest, ReadsABatchInOneCallWhereOdooCan) {
  odoo_.nested = true;
  const std::vector<OrderId> ids = {OrderId(21), OrderId(22), OrderId(23)};
  ASSERT_OK(Await(client_.ReadOrders(ids)));
  odoo_.calls.clear();
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_.ReadOrders(ids)));
  EXPECT_THAT(fetched.orders, SizeIs(3));
  EXPECT_EQ(fetched.date, At("2026-11-24 14:30:00"));
  EXPECT_THAT(odoo_.calls, ElementsAre("sale.order.web_read"));
}

TEST_F(ClientTest, ReadsPlainlyWhatANestedReadRefuses) {
  odoo_.nested = true;
  odoo_.FailNext("sale.order.web_read", ErrorAnswer(kAccessError, kTopSecret));
  ASSERT_OK(Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), 1);
  // The next batch may be without the record that was refused.
  ASSERT_OK(Await(client_.ReadOrders({OrderId(22)})));
  EXPECT_EQ(odoo_.Count("sale.order.web_read"), 2);
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), 1);
}

TEST_F(ClientTest, ReadsPlainlyWhereNestedAnswersAreOdd) {
  odoo_.nested = true;
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call != "sale.order.web_read") return;
    rows[0]["order_line"] = json::parse(R"([{"id":45}])");  // a line that may not be read
  };
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_TRUE(fetched.lines.at(45).contains("product_id"));
  ASSERT_OK(Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_EQ(odoo_.Count("sale.order.web_read"), 1);
}

TEST_F(ClientTest, ANestedReadThatTakesTooLongIsHalvedAndNotReadPlainly) {
  odoo_.nested = true;
  odoo_.FailNext("sale.order.web_read", ErrorAnswer("builtins.MemoryError", ""));
  EXPECT_EQ(KindOf(Await(client_.ReadOrders({OrderId(21)})).status()), ErrorKind::kTooMuch);
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), 0);
}

TEST_F(ClientTest, AsksForTheFieldsAgainInAnotherVersion) {
  odoo_.nested = true;
  ASSERT_OK(Await(client_.ReadOrders({OrderId(21)})));
  ASSERT_OK(Await(client_.Version()));  // known from now on
  ASSERT_OK(Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_EQ(odoo_.Count("res.partner.fields_get"), 2);
  ASSERT_OK(Await(client_.Version()));
  ASSERT_OK(Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_EQ(odoo_.Count("res.partner.fields_get"), 2);
}

TEST_F(ClientTest, NoOrdersTakeNoCall) {
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_.ReadOrders({})));
  EXPECT_THAT(fetched.orders, IsEmpty());
  EXPECT_THAT(odoo_.calls, IsEmpty());
}

TEST_F(ClientTest, ReadsTemplatesOnlyOfProductsWithoutCode) {
  ASSERT_OK_AND_ASSIGN(const FetchedOrders coded, Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_EQ(odoo_.Count("product.template.read"), 0);
  ASSERT_OK_AND_ASSIGN(const FetchedOrders uncoded, Await(client_.ReadOrders({OrderId(22)})));
  EXPECT_EQ(odoo_.Count("product.template.read"), 1);
  EXPECT_THAT(uncoded.templates, SizeIs(1));
}

TEST_F(ClientTest, LeavesOutFieldsThatThisOdooLacks) {
  auto& fields = odoo_.fields["res.partner"];
  std::erase(fields, "mobile");
  std::erase(fields, "vat");
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_.ReadOrders({OrderId(21)})));
  EXPECT_FALSE(fetched.partners.begin()->second.contains("vat"));
  EXPECT_TRUE(fetched.partners.begin()->second.contains("phone"));
}

TEST_F(ClientTest, WithoutAFieldThatIdentityNeedsNothingIsRead) {
  const std::pair<const char*, const char*> required[] = {{"sale.order", "name"},
                                                          {"sale.order", "state"},
                                                          {"sale.order", "write_date"},
                                                          {"sale.order", "order_line"},
                                                          {"sale.order.line", "product_id"},
                                                          {"sale.order.line", "product_uom_qty"},
                                                          {"product.product", "default_code"}};
  for (const auto& [model, field] : required) {
    RecordedOdoo odoo("17");
    std::erase(odoo.fields[model], field);
    ScriptedHttp http([&](const HttpRequest& request) { return odoo.Answer(request); });
    Client client(http, MakeTarget(odoo.database()), Session());
    const absl::Status status = Await(client.ReadOrders({OrderId(21)})).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kQuery) << field;
    EXPECT_EQ(Reason(status), "fields");
    EXPECT_THAT(std::string(Message(status)), testing::AllOf(HasSubstr(model), HasSubstr(field)));
  }
}

TEST_F(ClientTest, AnOrderThatMovedMeanwhileIsTorn) {
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call != "sale.order.read") return;
    for (auto& row : rows) {
      if (row["id"] == 22) row["write_date"] = "2026-11-24 14:25:52";
    }
  };
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched,
                       Await(client_.ReadOrders({OrderId(21), OrderId(22), OrderId(23)})));
  EXPECT_THAT(fetched.torn, ElementsAre(OrderId(22)));
}

TEST_F(ClientTest, AnOrderWhoseLineVanishedIsTorn) {
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call == "sale.order.line.read") rows.pop_back();
  };
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched,
                       Await(client_.ReadOrders({OrderId(21), OrderId(22)})));
  EXPECT_THAT(fetched.torn, ElementsAre(OrderId(22)));
}

TEST_F(ClientTest, AnOrderThatIsGoneIsLeftOut) {
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched,
                       Await(client_.ReadOrders({OrderId(21), OrderId(987654)})));
  EXPECT_THAT(fetched.orders, SizeIs(1));
  EXPECT_THAT(fetched.torn, IsEmpty());
}

TEST_F(ClientTest, AnOrderThatTheSearchHidesAndTheReadForbidsIsAnError) {
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call == "sale.order.search_read") rows.pop_back();
  };
  odoo_.FailNext("sale.order.read", ErrorAnswer(kAccessError, kTopSecret));
  const auto fetched = Await(client_.ReadOrders({OrderId(21), OrderId(22)}));
  EXPECT_EQ(KindOf(fetched.status()), ErrorKind::kRecord);
}

TEST_F(ClientTest, AForbiddenProductIsTheRecordsFault) {
  odoo_.FailNext("product.product.read", ErrorAnswer(kAccessError, kTopSecret));
  EXPECT_EQ(KindOf(Await(client_.ReadOrders({OrderId(21)})).status()), ErrorKind::kRecord);
}

TEST_F(ClientTest, ALostRightIsNotTheRecordsFault) {
  odoo_.FailNext("sale.order.line.read", LoadRecording("17/30-noaccess.json").body.as_object());
  EXPECT_EQ(KindOf(Await(client_.ReadOrders({OrderId(21)})).status()), ErrorKind::kRights);
  odoo_.FailNext("sale.order.search_read", ErrorAnswer(kAccessError, "Acceso denegado"));
  EXPECT_EQ(KindOf(Await(client_.CheckReadable("sale.order"))), ErrorKind::kRights);
  EXPECT_OK(Await(client_.CheckReadable("sale.order")));
}

TEST_F(ClientTest, RefusesRecordsThatWereNotAskedFor) {
  odoo_.touch = [](const std::string& call, Rows& rows) {
    if (call == "res.partner.read") rows[0]["id"] = 5;
  };
  EXPECT_EQ(KindOf(Await(client_.ReadOrders({OrderId(21)})).status()), ErrorKind::kGarbage);
}

TEST_F(ClientTest, LooksUpOrdersWhateverTheirState) {
  odoo_.touch = [](const std::string&, Rows& rows) { rows[0]["state"] = "draft"; };
  ASSERT_OK_AND_ASSIGN(
      const OrderPage page,
      Await(client_.LookUp({OrderId(22), OrderId(21), OrderId(987654), OrderId(21)})));
  ASSERT_THAT(page.orders, SizeIs(2));
  EXPECT_EQ(page.orders[0].id, OrderId(21));
  EXPECT_EQ(page.orders[0].state, "draft");
  EXPECT_TRUE(page.complete);
}

TEST_F(ClientTest, FindsTheNewestByDateOfOrder) {
  ASSERT_OK_AND_ASSIGN(const OrderPage page, Await(client_.NewestOrders(3)));
  EXPECT_THAT(page.orders, SizeIs(3));
  EXPECT_EQ(Arguments().at("order"), "date_order desc, id desc");
  EXPECT_EQ(json::serialize(Arguments().at("domain")), R"([["state","in",["sale","done"]]])");
}

TEST_F(ClientTest, FindsOrdersByName) {
  ASSERT_OK_AND_ASSIGN(const OrderPage none, Await(client_.FindByName({})));
  EXPECT_THAT(odoo_.calls, IsEmpty());
  http_.requests.clear();
  odoo_.FailNext(
      "sale.order.search_read",
      json::parse(R"({"result":[{"id":22,"write_date":"2026-11-24 14:25:51","state":"sale"}]})")
          .as_object());
  ASSERT_OK_AND_ASSIGN(const OrderPage page, Await(client_.FindByName({"S00022"})));
  EXPECT_THAT(page.orders, SizeIs(1));
  EXPECT_THAT(json::serialize(Arguments().at("domain")), HasSubstr(R"(["name","in",["S00022"]])"));
}

TEST_F(ClientTest, ListsLinesOfRecentConfirmedOrders) {
  odoo_.FailNext(
      "sale.order.line.search_read",
      json::parse(
          R"({"result":[{"id":45,"order_id":[21,"S00021"],"write_date":"2026-11-24 14:25:51"},
                                {"id":47,"order_id":[22,"S00022"],"write_date":"2026-11-24 14:25:51"}]})")
          .as_object());
  ASSERT_OK_AND_ASSIGN(const LinePage page,
                       Await(client_.ListChangedLines(from_, At("2026-08-26 00:00:00"), 44, 2)));
  ASSERT_THAT(page.lines, SizeIs(2));
  EXPECT_EQ(page.lines[1].order, OrderId(22));
  EXPECT_FALSE(page.complete);
  EXPECT_EQ(json::serialize(Arguments().at("domain")),
            R"([["order_id.state","in",["sale","done"]],)"
            R"(["order_id.date_order",">=","2026-08-26 00:00:00"],)"
            R"(["write_date",">=","2026-11-24 14:25:51"],["id",">",44]])");
}

// A server that repeats the key just where its answer is cut.
TEST_F(ClientTest, ShowsNoHalfOfASecret) {
  for (std::size_t before = 170; before <= 201; ++before) {
    ScriptedHttp http([&](const HttpRequest&) {
      return MakeResponse(500, "text/plain", "no: " + std::string(before, 'x') + " " + kKey);
    });
    Client client(http, MakeTarget("shop1"), Session());
    const absl::Status status = Await(client.Login());
    EXPECT_THAT(Message(status), Not(HasSubstr("a-very"))) << before;
  }
}

TEST_F(ClientTest, KeepsSecretsAndTracebacksOutOfErrors) {
  odoo_.FailNext("authenticate",
                 ErrorAnswer("builtins.ValueError", std::string("bad key ") + kKey +
                                                        " at https://u:p4ssw0rd@shop/\n" +
                                                        std::string(5000, 'x')));
  const absl::Status status = Await(client_.Login());
  const std::string message(Message(status));
  EXPECT_THAT(message, testing::StartsWith("login: builtins.ValueError: bad key ***"));
  EXPECT_THAT(message, Not(HasSubstr(kKey)));
  EXPECT_THAT(message, Not(HasSubstr("p4ssw0rd")));
  EXPECT_THAT(message, Not(HasSubstr("hush-hush")));
  EXPECT_LE(message.size(), kMaxForeignText);
}

TEST(ClientTransportTest, TellsTooMuchFromDown) {
  const std::pair<TransportFailure, ErrorKind> rows[] = {
      {TransportFailure::kDns, ErrorKind::kServerDown},
      {TransportFailure::kConnect, ErrorKind::kServerDown},
      {TransportFailure::kTls, ErrorKind::kServerDown},
      {TransportFailure::kEgressDenied, ErrorKind::kServerDown},
      {TransportFailure::kExhausted, ErrorKind::kLocal},
      {TransportFailure::kCancelled, ErrorKind::kLocal},
      {TransportFailure::kTimeout, ErrorKind::kTooMuch},
      {TransportFailure::kReset, ErrorKind::kServerDown},
      {TransportFailure::kTooLarge, ErrorKind::kTooMuch},
      {TransportFailure::kOverloaded, ErrorKind::kLocal},
      {TransportFailure::kProtocol, ErrorKind::kServerDown}};
  for (const auto& [failure, kind] : rows) {
    ScriptedHttp http([failure = failure](const HttpRequest&) {
      return TransportError(failure, "shop.example: it did not work");
    });
    Client client(http, MakeTarget("db"), Session());
    const absl::Status status = Await(client.Version()).status();
    EXPECT_EQ(ErrorKindOf(status), kind) << TransportFailureName(failure);
    EXPECT_EQ(TransportFailureOf(status), failure);
    EXPECT_EQ(Message(status), "version: shop.example: it did not work");
  }
}

}  // namespace
}  // namespace poller::odoo
