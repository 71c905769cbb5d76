// The client through real HTTP against the simulated Odoo of every version.
#include "core/odoo/odoo_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/metrics.h"
#include "core/http/curl/curl_http_client.h"
#include "core/orders/order_mapper.h"
#include "core/orders/payload.h"
#include "tests/support/fake_time.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/order_generator.h"
#include "tests/support/status_matchers.h"

namespace poller::odoo {
namespace {

using test::OdooFault;
using test::OdooSim;
using test::RecordFault;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::Ge;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

template <class T>
T Await(Task<T> task) {
  boost::asio::io_context io;
  auto result = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  io.run();
  return result.get();
}

class OdooClientTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    CurlOptions options;
    options.egress.allow.push_back(*Cidr::Parse("127.0.0.0/8"));
    auto http = CurlHttpClient::Create(std::move(options), metrics_);
    ASSERT_OK(http);
    http_ = *std::move(http);
    client_ = MakeClient();
  }

  std::unique_ptr<Client> MakeClient(const std::string& key = "admin-key",
                                     OdooProtocol protocol = OdooProtocol::kAuto) {
    Target target;
    target.url = server_->Url();
    target.database = "shop1";
    target.username = "admin";
    target.api_key = Secret(key);
    target.protocol = protocol;
    target.timeout = absl::Seconds(20);
    return std::make_unique<Client>(*http_, std::move(target), Session());
  }

  static OdooSim::Options SimOptions(FakeClock& clock) {
    OdooSim::Options options;
    options.version = GetParam();
    options.web_clock = [&clock] { return clock.Now(); };
    return options;
  }

  test::RecordId AddOrder(test::Tx tx = {}) {
    test::OrderSpec spec;
    spec.partner_id = partner_;
    test::LineSpec line;
    line.product_id = product_;
    line.quantity = 2;
    spec.lines.push_back(line);
    return db_.CreateConfirmedOrder(spec, tx);
  }

  std::vector<std::int64_t> List(absl::Time from, int limit = 1000) {
    std::vector<std::int64_t> ids;
    OrderId after;
    for (bool complete = false; !complete;) {
      const auto page = Await(client_->ListOrders(from, after, limit));
      EXPECT_OK(page);
      if (!page.ok()) return ids;
      for (const ListedOrder& order : page->orders) ids.push_back(order.id.value());
      complete = page->complete;
      if (!page->orders.empty()) after = page->orders.back().id;
    }
    return ids;
  }

  std::vector<std::string> Payloads(const std::vector<OrderId>& ids) {
    sim_.ClearCalls();
    std::vector<std::string> payloads;
    const absl::StatusOr<FetchedOrders> fetched = Await(client_->ReadOrders(ids));
    EXPECT_OK(fetched);
    if (!fetched.ok()) return payloads;
    EXPECT_THAT(fetched->torn, IsEmpty());
    for (const auto& record : fetched->orders) {
      const auto order = MapOrder(record,
                                  {fetched->lines, fetched->partners, fetched->products,
                                   fetched->templates, fetched->attribute_values},
                                  "shop1");
      EXPECT_OK(order);
      if (order.ok()) payloads.push_back(EncodeContent(*order, "shop1"));
    }
    return payloads;
  }
  std::int64_t Reads(const std::string& method) const {
    std::int64_t count = 0;
    for (const test::OdooCall& call : sim_.Calls()) count += call.method == method ? 1 : 0;
    return count;
  }

  FakeClock clock_;
  OdooSim sim_{SimOptions(clock_)};
  test::SimDatabase& db_ = sim_.AddDatabase("shop1");
  std::unique_ptr<test::HttpServer> server_ = sim_.Serve();
  test::RecordId partner_ = db_.AddPartner({.name = "Ada"});
  test::RecordId product_ = db_.AddProduct({.name = "Widget", .default_code = "W", .price = 5});
  Metrics metrics_;
  std::unique_ptr<CurlHttpClient> http_;
  std::unique_ptr<Client> client_;
};

TEST_P(OdooClientTest, FindsALateCommitWithTheOverlapAlone) {
  const test::Tx slow = db_.Begin();
  const test::RecordId late = AddOrder(slow);
  clock_.Advance(absl::Seconds(30));
  const test::RecordId early = AddOrder();
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK_AND_ASSIGN(const OrderPage page,
                       Await(client_->ListOrders(clock_.Now() - absl::Minutes(5), OrderId(), 100)));
  ASSERT_THAT(page.orders, SizeIs(1));
  EXPECT_EQ(page.orders[0].id.value(), early);
  ASSERT_TRUE(page.date.has_value());
  const absl::Time mark = *page.date;
  EXPECT_EQ(mark, clock_.Now());

  clock_.Advance(absl::Seconds(60));
  db_.Commit(slow);
  EXPECT_THAT(List(mark), IsEmpty());  // what a cursor without overlap would see
  EXPECT_THAT(List(mark - absl::Minutes(5)), UnorderedElementsAre(early, late));
}

TEST_P(OdooClientTest, SeesEveryOrderOfOneTransactionPageByPage) {
  const test::Tx tx = db_.Begin();
  for (int i = 0; i < 150; ++i) AddOrder(tx);
  db_.Commit(tx);
  EXPECT_THAT(List(clock_.Now() - absl::Seconds(1), 100), SizeIs(150));
}

TEST_P(OdooClientTest, SeesAnOrderInTheSecondOfTheWindowsBeginning) {
  clock_.Advance(absl::Milliseconds(700));
  const test::RecordId order = AddOrder();
  EXPECT_THAT(List(clock_.Now()), ElementsAre(order));
}

TEST_P(OdooClientTest, ReadsAnOrderWithAnArchivedProductAndPartner) {
  const test::RecordId id = AddOrder();
  ASSERT_OK(db_.ArchiveProduct(product_));
  ASSERT_OK(db_.ArchivePartner(partner_));
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_->ReadOrders({OrderId(id)})));
  ASSERT_THAT(fetched.orders, SizeIs(1));
  EXPECT_THAT(fetched.torn, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Order order,
                       MapOrder(fetched.orders[0],
                                {fetched.lines, fetched.partners, fetched.products,
                                 fetched.templates, fetched.attribute_values},
                                "shop1"));
  EXPECT_EQ(order.customer.name, "Ada");
  ASSERT_THAT(order.items, SizeIs(1));
  EXPECT_EQ(order.items[0].sku, "W");
  EXPECT_EQ(order.items[0].quantity, 2);
}

TEST_P(OdooClientTest, AForbiddenRecordIsToldFromTheOthers) {
  const test::RecordId good = AddOrder();
  const test::RecordId bad = AddOrder();
  RecordFault forbidden;
  forbidden.kind = RecordFault::Kind::kForbidden;
  db_.SetRecordFault("sale.order", bad, forbidden);
  EXPECT_THAT(List(clock_.Now() - absl::Seconds(1)), ElementsAre(good, bad));
  const auto both = Await(client_->ReadOrders({OrderId(good), OrderId(bad)}));
  EXPECT_EQ(ErrorKindOf(both.status()), ErrorKind::kRecord);
  const auto alone = Await(client_->ReadOrders({OrderId(bad)}));
  EXPECT_EQ(ErrorKindOf(alone.status()), ErrorKind::kRecord);
  EXPECT_OK(Await(client_->ReadOrders({OrderId(good)})));
}

TEST_P(OdooClientTest, AForbiddenProductIsARecordsFault) {
  const test::RecordId id = AddOrder();
  db_.SetRecordFault("product.product", product_, RecordFault());
  const auto fetched = Await(client_->ReadOrders({OrderId(id)}));
  EXPECT_EQ(ErrorKindOf(fetched.status()), ErrorKind::kRecord);
}

TEST_P(OdooClientTest, AnOrderThatMovesBetweenTheReadsIsTorn) {
  const test::RecordId id = AddOrder();
  OdooFault unknown;  // a nested read sees one moment
  unknown.kind = OdooFault::Kind::kError;
  unknown.method = "web_read";
  unknown.name = "builtins.AttributeError";
  unknown.message = "The method 'sale.order.web_read' does not exist";
  sim_.faults().Add(unknown);
  clock_.Advance(absl::Seconds(2));
  sim_.SetBeforeCall([&](const test::OdooCall& call) {
    if (call.model == "res.partner" && call.method == "read") {
      EXPECT_OK(db_.TouchOrder(id));
    }
  });
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_->ReadOrders({OrderId(id)})));
  EXPECT_THAT(fetched.torn, ElementsAre(OrderId(id)));
}

TEST_P(OdooClientTest, ListsLinesThatChangedWithoutTheirOrder) {
  const test::RecordId id = AddOrder();
  const test::SimOrder order = *db_.FindOrder(id);
  clock_.Advance(absl::Minutes(10));
  ASSERT_OK(db_.EditLineDescription(order.lines[0].id, "engraved"));
  const absl::Time from = clock_.Now() - absl::Minutes(1);
  EXPECT_THAT(List(from), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const LinePage page, Await(client_->ListChangedLines(
                                                from, clock_.Now() - absl::Hours(24), 0, 10)));
  ASSERT_THAT(page.lines, SizeIs(1));
  EXPECT_EQ(page.lines[0].order.value(), id);
}

TEST_P(OdooClientTest, LooksUpWhatBecameOfOrders) {
  const test::RecordId draft = AddOrder();
  const test::RecordId gone = AddOrder();
  ASSERT_OK(db_.CancelOrder(draft));
  ASSERT_OK(db_.DraftOrder(draft));
  ASSERT_OK(db_.CancelOrder(gone));
  ASSERT_OK(db_.DeleteOrder(gone));
  ASSERT_OK_AND_ASSIGN(const OrderPage page,
                       Await(client_->LookUp({OrderId(draft), OrderId(gone)})));
  ASSERT_THAT(page.orders, SizeIs(1));
  EXPECT_EQ(page.orders[0].state, "draft");
}

TEST_P(OdooClientTest, FindsOrdersByNameAndTheNewest) {
  const test::RecordId first = AddOrder();
  clock_.Advance(absl::Minutes(1));
  const test::RecordId second = AddOrder();
  ASSERT_OK_AND_ASSIGN(const OrderPage newest, Await(client_->NewestOrders(1)));
  ASSERT_THAT(newest.orders, SizeIs(1));
  EXPECT_EQ(newest.orders[0].id.value(), second);
  ASSERT_OK_AND_ASSIGN(const OrderPage named,
                       Await(client_->FindByName({db_.FindOrder(first)->name, "S99999"})));
  ASSERT_THAT(named.orders, SizeIs(1));
  EXPECT_EQ(named.orders[0].id.value(), first);
}

TEST_P(OdooClientTest, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorKindOf(Await(MakeClient("another-key")->Login())), ErrorKind::kCredentials);
  ASSERT_OK(Await(client_->Login()));
  db_.SetKey("admin", "");
  EXPECT_EQ(ErrorKindOf(Await(client_->CheckReadable("sale.order"))), ErrorKind::kCredentials);
  db_.SetKey("admin", "admin-key");
  db_.SetRights("admin", test::Rights::kNone);
  EXPECT_EQ(ErrorKindOf(Await(client_->CheckReadable("sale.order"))), ErrorKind::kRights);
}

TEST_P(OdooClientTest, SaysHowItFails) {
  using Kind = OdooFault::Kind;
  client_ =
      MakeClient("admin-key", GetParam() >= 22 ? OdooProtocol::kJson2 : OdooProtocol::kJsonRpc);
  const std::pair<Kind, ErrorKind> rows[] = {
      {Kind::kReset, ErrorKind::kServerDown},  {Kind::kPostgresDown, ErrorKind::kServerDown},
      {Kind::kStatus, ErrorKind::kServerDown}, {Kind::kTruncated, ErrorKind::kGarbage},
      {Kind::kCut, ErrorKind::kServerDown},    {Kind::kWrongContentType, ErrorKind::kGarbage}};
  const bool json2 = GetParam() >= 22;
  const auto ask = [&] {
    return json2 ? Await(client_->Login()) : Await(client_->Version()).status();
  };
  for (const auto& [fault_kind, error_kind] : rows) {
    if (json2 && fault_kind == Kind::kCut) continue;  // the answer is too short to be cut
    OdooFault fault;
    fault.kind = fault_kind;
    const int id = sim_.faults().Add(fault);
    EXPECT_EQ(ErrorKindOf(ask()), error_kind) << static_cast<int>(fault_kind);
    sim_.faults().Remove(id);
  }
  OdooFault limited;
  limited.status = 429;
  limited.retry_after = absl::Seconds(90);
  sim_.faults().Add(limited);
  const absl::Status status = ask();
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kRateLimited);
  EXPECT_EQ(RetryAfterOf(status), absl::Seconds(90));
}

// What a shop's day leaves behind, read both ways.
TEST_P(OdooClientTest, NestedAndPlainReadsGiveTheSamePayloads) {
  if (GetParam() < 17) GTEST_SKIP() << "16 has no nested read";
  test::OrderGenerator day(db_, /*seed=*/7);
  for (int i = 0; i < 120; ++i) {
    day.Step();
    clock_.Advance(absl::Seconds(20));
  }
  std::vector<OrderId> ids;
  for (const test::SimOrder& order : db_.Orders()) ids.emplace_back(order.id);
  ASSERT_THAT(ids, SizeIs(Ge(50)));
  const std::vector<std::string> nested = Payloads(ids);
  EXPECT_EQ(Reads("web_read"), 1);
  EXPECT_EQ(Reads("read"), 0);
  OdooFault unknown;
  unknown.kind = OdooFault::Kind::kError;
  unknown.method = "web_read";
  unknown.name = "builtins.AttributeError";
  unknown.message = "The method 'sale.order.web_read' does not exist";
  sim_.faults().Add(unknown);
  const std::vector<std::string> plain = Payloads(ids);
  EXPECT_GT(Reads("read"), 0);
  EXPECT_THAT(plain, ElementsAreArray(nested));
}

INSTANTIATE_TEST_SUITE_P(Versions, OdooClientTest, testing::Values(16, 17, 18, 19, 22),
                         [](const auto& param_info) {
                           const int version = param_info.param;
                           const bool recorded = version >= 17 && version <= 19;
                           return "Odoo" + std::to_string(version) +
                                  (recorded ? "" : "NotRecorded");
                         });

}  // namespace
}  // namespace poller::odoo
