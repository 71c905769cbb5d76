// How a connection begins: what was there before is known and not delivered, all that comes after
// is delivered.
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

class StartTest : public PollingFixture {};

TEST_F(StartTest, RecordsTheFirstWindowAndTheNewestAsBaseline) {
  const RecordId old = Confirm();
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  const auto recent = ConfirmMany(40);
  Pass(absl::Minutes(4));
  Begin();
  EXPECT_EQ(Known(old), "") << "neither in the first window nor among the newest";
  for (const RecordId order : recent) EXPECT_EQ(Known(order), "1 baseline");
  EXPECT_EQ(State().mark, Now());
  EXPECT_EQ(State().started, Now());
  EXPECT_EQ(State().waiting, 0);
  ASSERT_EQ(Logs().size(), 1u);
  EXPECT_EQ(Logs().front().kind, "start");
}

TEST_F(StartTest, NewestOrdersOfAQuietShopAreBaseline) {
  std::vector<RecordId> orders;
  for (int i = 0; i < 35; ++i) {
    orders.push_back(Confirm());
    Pass(absl::Minutes(1));
  }
  Pass(absl::Hours(24));
  Begin();
  EXPECT_EQ(KnownOrders(), 30);
  EXPECT_EQ(Known(orders[4]), "");
  EXPECT_EQ(Known(orders[5]), "1 baseline");
}

TEST_F(StartTest, EmptyShopDeliversItsFirstOrder) {
  Begin();
  EXPECT_EQ(State().mark, Now());
  EXPECT_EQ(KnownOrders(), 0);
  const RecordId first = Confirm();
  NextPoll();
  EXPECT_EQ(Known(first), "1 pending");
}

TEST_F(StartTest, BaselineIsDeliveredOnceItChanges) {
  const RecordId order = Confirm();
  Pass(absl::Minutes(1));
  Begin();
  NextPoll();
  ASSERT_EQ(Known(order), "1 baseline");
  ASSERT_OK(shop().EditOrderRef(order, "changed"));
  NextPoll();
  EXPECT_EQ(Known(order), "2 pending");
}

TEST_F(StartTest, OldOrderThatChangesIsDelivered) {
  const RecordId old = Confirm();
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  Begin();
  ASSERT_EQ(Known(old), "");
  Pass(absl::Seconds(1));
  ASSERT_OK(shop().EditOrderRef(old, "changed"));
  NextPoll();
  EXPECT_EQ(Known(old), "1 pending");
}

TEST_F(StartTest, WhatIsConfirmedWhileTheBaselineIsReadIsDelivered) {
  const RecordId before = Confirm();
  RecordId meanwhile = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || meanwhile != 0) return;
    clock_.Advance(absl::Seconds(2));
    meanwhile = Confirm();
  });
  Begin();
  EXPECT_EQ(Known(before), "1 baseline");
  ASSERT_NE(meanwhile, 0);
  EXPECT_EQ(Known(meanwhile), "");
  NextPoll();
  EXPECT_EQ(Known(meanwhile), "1 pending");
}

TEST_F(StartTest, WhatIsConfirmedInTheVerySecondOfTheStartIsDelivered) {
  const RecordId before = Confirm();
  Pass(absl::Minutes(1));
  RecordId meanwhile = 0;
  int searches = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "sale.order" || call.method != "search_read" || ++searches != 2) return;
    meanwhile = Confirm();  // after the answer that told the moment, before the window is listed
  });
  Begin();
  ASSERT_NE(meanwhile, 0);
  NextPoll();
  EXPECT_EQ(Known(before), "1 baseline");
  EXPECT_EQ(Known(meanwhile), "1 pending");
}

TEST_F(StartTest, WhatChangesWhileTheBaselineIsReadIsDelivered) {
  const RecordId order = Confirm();
  bool changed = false;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.method != "web_read" || changed) return;
    changed = true;
    clock_.Advance(absl::Seconds(2));
    ASSERT_OK(shop().EditOrderRef(order, "changed"));
  });
  Begin();
  ASSERT_TRUE(changed);
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(StartTest, CrashInTheBaselineDoesNotSwallowWhatIsConfirmedUntilTheRestart) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  const auto before = ConfirmMany(30);
  Pass(absl::Seconds(1));
  for (int k = 2; k <= 4; ++k) {
    ingest_->commits = 0;
    ingest_->fail_from = k;
    Begin(Settings("shop " + std::to_string(k)));
    ASSERT_EQ(State().mark, absl::InfinitePast());
    ASSERT_EQ(State().started, Now());
    Pass(absl::Seconds(1));
    const RecordId between = Confirm();
    Pass(absl::Seconds(1));
    Restart();
    EXPECT_NE(State().mark, absl::InfinitePast());
    NextPoll();
    EXPECT_EQ(Known(between), "1 pending") << "crash at commit " << k;
    for (const RecordId order : before)
      ASSERT_EQ(Known(order), "1 baseline") << "crash at commit " << k;
  }
}

TEST_F(StartTest, WithoutDateTheNewestOrderTellsWhenItBegan) {
  odoo_sends_date_ = false;
  const RecordId before = Confirm();
  const absl::Time written = Now();
  Pass(absl::Minutes(2));
  Begin();
  EXPECT_EQ(Known(before), "1 baseline");
  EXPECT_EQ(State().started, written);
  const RecordId after = Confirm();
  NextPoll();
  EXPECT_EQ(Known(after), "1 pending");
}

TEST_F(StartTest, EmptyShopWithoutDateDeliversItsFirstOrder) {
  odoo_sends_date_ = false;
  Begin();
  const RecordId first = Confirm();
  NextPoll();
  EXPECT_EQ(Known(first), "1 pending");
}

TEST_F(StartTest, ShopThatIsDownBeginsWhenItIsUp) {
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  Begin();
  EXPECT_EQ(State().started, absl::InfinitePast());
  EXPECT_NE(State().last_poll.error, "");
  const RecordId before = Confirm();
  sim_->faults().Remove(fault);
  NextPoll();
  EXPECT_EQ(Known(before), "1 baseline");
  EXPECT_EQ(State().started, Now());
}

}  // namespace
}  // namespace poller::test
