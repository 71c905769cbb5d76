// Time in the simulated Odoo: write_date, transactions, comparisons, and what moves an order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "tests/support/odoo_sim.h"
#include "tests/unit/support/odoo_client.h"

namespace poller::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kSince05[] = R"([["write_date", ">=", "2026-01-15 10:00:05"]])";

// The arguments of a search without conditions.
const boost::json::array kEverything = {boost::json::array()};

class OdooTimeTest : public ::testing::TestWithParam<int> {
 protected:
  OdooTimeTest()
      : sim_({.version = GetParam(),
              .web_clock = [this] { return now_ + web_offset_; },
              .database_clock = [this] { return now_; }}),
        db_(sim_.AddDatabase("shop1")),
        client_(sim_) {
    partner_ = db_.AddPartner({.name = "Acme"});
    product_ = db_.AddProduct({.name = "Widget", .default_code = "WID", .price = 50});
  }

  // 2026-01-15 10:00:SS.ffffff
  static absl::Time At(double seconds) {
    return absl::FromCivil(absl::CivilSecond(2026, 1, 15, 10, 0, 0), absl::UTCTimeZone()) +
           absl::Microseconds(static_cast<std::int64_t>(seconds * 1e6 + 0.5));
  }
  RecordId NewOrder(Tx tx = {}) {
    return db_.CreateConfirmedOrder(
        {.partner_id = partner_, .lines = {{.product_id = product_, .quantity = 2, .tax = 19}}},
        tx);
  }
  bool Moves(RecordId order, const std::function<absl::Status()>& act) {
    const absl::Time before = db_.FindOrder(order)->write_date;
    now_ += absl::Seconds(10);
    const absl::Status done = act();
    EXPECT_TRUE(done.ok()) << done;
    return db_.FindOrder(order)->write_date != before;
  }

  absl::Time now_ = At(0);
  absl::Duration web_offset_;
  OdooSim sim_;
  SimDatabase& db_;
  OdooTestClient client_;
  RecordId partner_ = 0;
  RecordId product_ = 0;
};

TEST_P(OdooTimeTest, ServesWholeSecondsTruncated) {
  now_ = At(5.999999);
  const RecordId order = NewOrder();
  const auto rows = client_.Result("sale.order", "read", {{order}}, {{"fields", {"write_date"}}});
  EXPECT_EQ(rows.at(0).at("write_date").as_string(), "2026-01-15 10:00:05");
  EXPECT_EQ(db_.FindOrder(order)->write_date, At(5.999999));
}

TEST_P(OdooTimeTest, SharesOneWriteDateInOneTransaction) {
  now_ = At(5.25);
  const Tx tx = db_.Begin();
  const RecordId first = NewOrder(tx);
  now_ = At(9);
  const RecordId second = NewOrder(tx);
  db_.Commit(tx);
  EXPECT_EQ(db_.FindOrder(first)->write_date, At(5.25));
  EXPECT_EQ(db_.FindOrder(second)->write_date, At(5.25));
  EXPECT_EQ(db_.FindOrder(second)->lines.at(0).write_date, At(5.25));
}

TEST_P(OdooTimeTest, ALateCommitAppearsBehindTheCursor) {
  now_ = At(1.9);
  const Tx slow = db_.Begin();
  const RecordId late = NewOrder(slow);
  now_ = At(5.5);
  const RecordId quick = NewOrder();
  EXPECT_THAT(client_.Search("sale.order", "[]", {{"order", "id"}}), ElementsAre(quick));
  EXPECT_FALSE(db_.FindOrder(late).has_value());
  now_ = At(6.8);
  db_.Commit(slow);
  EXPECT_LT(late, quick);
  EXPECT_EQ(db_.FindOrder(late)->write_date, At(1.9));
  EXPECT_THAT(client_.Search("sale.order", kSince05), ElementsAre(quick));
  EXPECT_THAT(client_.Search("sale.order", "[]", {{"order", "id"}}), ElementsAre(late, quick));
}

TEST_P(OdooTimeTest, ARollbackLeavesNothingButAGapInTheIds) {
  const Tx tx = db_.Begin();
  const RecordId lost = NewOrder(tx);
  db_.Rollback(tx);
  const RecordId kept = NewOrder();
  EXPECT_EQ(kept, lost + 1);
  EXPECT_THAT(client_.Search("sale.order", "[]"), ElementsAre(kept));
}

TEST_P(OdooTimeTest, RefusesToChangeARowThatAnotherTransactionHolds) {
  const RecordId order = NewOrder();
  const Tx first = db_.Begin();
  const Tx second = db_.Begin();
  EXPECT_TRUE(db_.TouchOrder(order, first).ok());
  EXPECT_TRUE(absl::IsAborted(db_.TouchOrder(order, second)));
  db_.Commit(first);
  // Committed after `second` began: it would have to be run again.
  EXPECT_TRUE(absl::IsAborted(db_.TouchOrder(order, second)));
  db_.Rollback(second);
  EXPECT_TRUE(db_.TouchOrder(order).ok());
}

// The table of what one stored microsecond time answers to.
TEST_P(OdooTimeTest, ComparesAsItsVersionDoes) {
  now_ = At(5.7);
  NewOrder();
  const auto hits = [&](const std::string& op, const std::string& value) {
    return client_.Result("sale.order", "search_count", {{{"write_date", op, value}}}).as_int64() ==
           1;
  };
  const bool modern = GetParam() >= 19;
  EXPECT_EQ(hits(">", "2026-01-15 10:00:05"), !modern);
  EXPECT_TRUE(hits(">=", "2026-01-15 10:00:05"));
  EXPECT_EQ(hits("=", "2026-01-15 10:00:05"), modern);
  EXPECT_EQ(hits("<=", "2026-01-15 10:00:05"), modern);
  EXPECT_TRUE(hits("<", "2026-01-15 10:00:06"));
  EXPECT_FALSE(hits(">=", "2026-01-15 10:00:06"));
  EXPECT_FALSE(hits("<", "2026-01-15 10:00:05"));
  // A fraction is compared, or dropped.
  EXPECT_EQ(hits(">=", "2026-01-15 10:00:05.800000"), modern);
  EXPECT_EQ(hits("=", "2026-01-15 10:00:05.700000"), true);
}

TEST_P(OdooTimeTest, TreatsAZoneAsItsVersionDoes) {
  NewOrder();
  for (const char* zone : {"2026-01-15 10:00:00Z", "2026-01-15T10:00:00+00:00"}) {
    EXPECT_EQ(client_.Error("sale.order", "search", {{{"write_date", ">=", zone}}}),
              GetParam() >= 19 ? "builtins.ValueError" : "");
  }
}

TEST_P(OdooTimeTest, MovesAnOrderWhenOdooDoes) {
  const bool old = GetParam() <= 17;
  const RecordId order = NewOrder();
  const RecordId line = db_.FindOrder(order)->lines.at(0).id;
  EXPECT_TRUE(Moves(order, [&] { return db_.EditLinePrice(line, 60); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.EditLineQuantity(line, 3); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.AddLine(order, {.product_id = product_}).status(); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.LockOrder(order); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.UnlockOrder(order); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.TouchOrder(order); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.CancelOrder(order); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.DraftOrder(order); }));
  EXPECT_TRUE(Moves(order, [&] { return db_.ConfirmOrder(order); }));
  EXPECT_FALSE(Moves(order, [&] { return db_.EditLineDescription(line, "another text"); }));
  EXPECT_FALSE(Moves(order, [&] { return db_.EditLineSequence(line, 20); }));
  EXPECT_FALSE(Moves(order, [&] { return db_.EditLineDelivered(line, 1); }));
  EXPECT_FALSE(Moves(order, [&] { return db_.EditPartner(partner_, "street", "New street 1"); }));
  EXPECT_FALSE(Moves(order, [&] { return db_.EditProduct(product_, "default_code", "NEW"); }));
  RecordId note = 0;
  EXPECT_EQ(Moves(order,
                  [&] {
                    const auto added = db_.AddNoteLine(order, "handle with care");
                    note = added.value_or(0);
                    return added.status();
                  }),
            old);
  EXPECT_EQ(Moves(order, [&] { return db_.DeleteNoteLine(note); }), old);
  // A quantity that leaves the totals as they are.
  const auto gift = db_.AddLine(order, {.product_id = product_, .price = 0.0});
  ASSERT_TRUE(gift.ok());
  EXPECT_EQ(Moves(order, [&] { return db_.EditLineQuantity(*gift, 5); }), old);
}

TEST_P(OdooTimeTest, ConfirmingMovesTheLines) {
  const RecordId order =
      db_.CreateOrder({.partner_id = partner_, .lines = {{.product_id = product_}}});
  now_ += absl::Seconds(30);
  ASSERT_TRUE(db_.ConfirmOrder(order).ok());
  EXPECT_EQ(db_.FindOrder(order)->lines.at(0).write_date, now_);
}

TEST_P(OdooTimeTest, FindsEditsOfLinesThroughTheLinesAndThroughTheOrder) {
  const RecordId order = NewOrder();
  const RecordId line = db_.FindOrder(order)->lines.at(0).id;
  now_ = At(7);
  ASSERT_TRUE(db_.EditLineDescription(line, "another text").ok());
  EXPECT_THAT(client_.Search("sale.order", kSince05), IsEmpty());
  EXPECT_THAT(
      client_.Search(
          "sale.order.line",
          R"([["order_id.state", "in", ["sale", "done"]], ["write_date", ">=", "2026-01-15 10:00:05"]])"),
      ElementsAre(line));
  EXPECT_THAT(client_.Search("sale.order", R"(["|", ["write_date", ">=", "2026-01-15 10:00:05"],
                                                    ["order_line.write_date", ">=", "2026-01-15 10:00:05"]])"),
              ElementsAre(order));
}

TEST_P(OdooTimeTest, KeepsTheWebServersClockApartFromTheDatabases) {
  web_offset_ = absl::Seconds(-90);
  now_ = At(100);
  const TestReply reply = client_.Send("sale.order", "search", kEverything);
  EXPECT_EQ(reply.headers.Get("Date"), "Thu, 15 Jan 2026 10:00:10 GMT");
  EXPECT_EQ(db_.FindOrder(NewOrder())->write_date, At(100));
}

TEST_P(OdooTimeTest, DeletesOnlyWhatIsCancelledAndThenWholly) {
  const RecordId order = NewOrder();
  EXPECT_TRUE(absl::IsFailedPrecondition(db_.DeleteOrder(order)));
  ASSERT_TRUE(db_.CancelOrder(order).ok());
  ASSERT_TRUE(db_.DeleteOrder(order).ok());
  EXPECT_THAT(client_.Search("sale.order", "[]"), IsEmpty());
  EXPECT_THAT(client_.Search("sale.order.line", "[]"), IsEmpty());
}

TEST_P(OdooTimeTest, PagesOneTransactionByIdWithoutLoss) {
  now_ = At(5.5);
  const Tx tx = db_.Begin();
  for (int i = 0; i < 25; ++i) NewOrder(tx);
  db_.Commit(tx);
  std::vector<RecordId> seen;
  RecordId last = 0;
  while (true) {
    const auto page =
        client_.Search("sale.order",
                       R"([["write_date", ">=", "2026-01-15 10:00:05"], ["id", ">", )" +
                           std::to_string(last) + "]]",
                       {{"order", "id asc"}, {"limit", 10}});
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
    last = page.back();
  }
  EXPECT_EQ(seen.size(), 25U);
}

INSTANTIATE_TEST_SUITE_P(Versions, OdooTimeTest, ::testing::Values(16, 17, 18, 19));

}  // namespace
}  // namespace poller::test
