// The control APIs of the simulated world, and the orders that its generator makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "core/base/clock.h"
#include "tests/support/odoo_sim_control.h"
#include "tests/support/receiver_control.h"

namespace poller::test {
namespace {

using ::testing::HasSubstr;

namespace json = boost::json;

class SimControlTest : public ::testing::Test {
 protected:
  SimControlTest() : control_(WithShop(sim_), /*seed=*/1) {}

  static OdooSim& WithShop(OdooSim& sim) {
    sim.AddDatabase("shop1");
    return sim;
  }

  TestReply Post(const std::string& path, const std::string& body) {
    TestRequest request;
    request.path = path;
    request.body = body;
    return control_.Handle(request);
  }
  json::array Orders() {
    TestRequest request;
    request.method = "GET";
    request.path = "/sim/orders";
    return json::parse(control_.Handle(request).body).at("orders").as_array();
  }

  OdooSim sim_;
  OdooSimControl control_;
};

TEST_F(SimControlTest, ConfirmsAndListsOrders) {
  EXPECT_EQ(Post("/sim/orders", R"({"db": "shop1", "count": 3})").status, 200);
  const json::array orders = Orders();
  ASSERT_EQ(orders.size(), 3U);
  EXPECT_EQ(orders[0].at("db").as_string(), "shop1");
  EXPECT_EQ(orders[0].at("state").as_string(), "sale");
  EXPECT_EQ(orders[0].at("write_date").as_string().size(),
            std::string("2026-01-15 10:00:00").size());
}

TEST_F(SimControlTest, HoldsABulkTransactionUntilItsTime) {
  EXPECT_EQ(Post("/sim/bulk", R"({"db": "shop1", "count": 4, "hold_seconds": 60})").status, 200);
  control_.CommitDue(SystemClock().Now());
  EXPECT_TRUE(Orders().empty());
  control_.CommitDue(SystemClock().Now() + absl::Seconds(61));
  const json::array orders = Orders();
  ASSERT_EQ(orders.size(), 4U);
  EXPECT_EQ(orders[0].at("write_date_us"), orders[3].at("write_date_us"));
}

TEST_F(SimControlTest, CancelledOrdersLeaveTheList) {
  Post("/sim/orders", R"({"db": "shop1"})");
  EXPECT_EQ(Post("/sim/cancel", R"({"db": "shop1", "id": 1})").status, 200);
  EXPECT_TRUE(Orders().empty());
  EXPECT_EQ(Post("/sim/confirm", R"({"db": "shop1", "id": 1})").status, 409);
}

TEST_F(SimControlTest, NamesWhatIsWrong) {
  EXPECT_THAT(Post("/sim/cancel", R"({"db": "shop9", "id": 1})").body, HasSubstr("shop9"));
  EXPECT_EQ(Post("/sim/cancel", R"({"db": "shop1", "id": 77})").status, 404);
  EXPECT_EQ(Post("/sim/cancel", "[]").status, 400);
  EXPECT_EQ(Post("/sim/fault", R"({"kind": "sadness"})").status, 400);
}

TEST_F(SimControlTest, SetsAndClearsFaults) {
  const HttpHeaders type = {{"Content-Type", "application/json"}};
  const std::string version =
      R"({"params": {"service": "common", "method": "version", "args": []}})";
  Post("/sim/fault", R"({"kind": "status", "status": 502})");
  EXPECT_EQ(sim_.Handle("POST", "/jsonrpc", type, version).status, 502);
  Post("/sim/clear-faults", "{}");
  EXPECT_EQ(sim_.Handle("POST", "/jsonrpc", type, version).status, 200);
}

TEST(OrderGeneratorTest, TheSameSeedMakesTheSameOrders) {
  OdooSim sim;
  SimDatabase& a = sim.AddDatabase("a");
  SimDatabase& b = sim.AddDatabase("b");
  OrderGenerator first(a, 7);
  OrderGenerator second(b, 7);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(first.Step().substr(1), second.Step().substr(1));
  }
  ASSERT_EQ(a.Orders().size(), b.Orders().size());
  EXPECT_GT(a.Orders().size(), 100U);
  EXPECT_GT(a.Orders().size(), a.ConfirmedOrders().size()) << "some are cancelled";
  for (const SimOrder& order : a.Orders()) {
    EXPECT_EQ(order.amount_total, b.FindOrder(order.id)->amount_total);
    EXPECT_GT(order.amount_total, 0);
  }
}

TEST(ReceiverControlTest, SetsTheModeAndSumsUp) {
  WebhookReceiver receiver;
  TestRequest request;
  request.path = "/receiver/mode";
  request.body = R"({"status": 503, "retry_after": 5, "times": 1})";
  EXPECT_EQ(HandleReceiverControl(receiver, request).status, 200);
  TestRequest hook;
  const TestReply refused = receiver.Deliver(hook);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "5");
  request.body = R"({"kind": "shrug"})";
  EXPECT_THAT(HandleReceiverControl(receiver, request).body, HasSubstr("kind"));
  request.method = "GET";
  request.path = "/receiver/summary";
  EXPECT_EQ(json::parse(HandleReceiverControl(receiver, request).body).at("attempts").as_int64(),
            1);
}

}  // namespace
}  // namespace poller::test
