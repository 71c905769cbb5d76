// The poller against every version of Odoo that a shop may run. 16 and 20 to 22 are simulated as Odoo's
// documentation tells, the others as they were recorded.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::Contains;
using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class EveryVersionTest : public PollingFixture, public testing::WithParamInterface<int> {
 protected:
  EveryVersionTest() { sim_->SetVersion(GetParam()); }
  static bool Nested() { return GetParam() >= 17; }
};

TEST_P(EveryVersionTest, ChoosesItsProtocolAndRemembersIt) {
  Begin();
  EXPECT_EQ(State().odoo_version, std::to_string(GetParam()) + ".0");
  EXPECT_EQ(State().odoo_protocol,
            GetParam() >= 19 ? OdooProtocol::kJson2 : OdooProtocol::kJsonRpc);
  NextPoll();
  ClearCalls();
  Restart();
  EXPECT_THAT(sim_->Calls(), SizeIs(Ge(1)));
  for (const OdooCall& call : sim_->Calls()) {
    EXPECT_EQ(call.method, "search_read");  // no probe, no login
  }
}

TEST_P(EveryVersionTest, FindsWhatHappensToAnOrder) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Seconds(60);
  Begin(settings);
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_THAT(Body(order), HasSubstr(R"("sku":"WID")"));
  Pass(absl::Minutes(10));

  ASSERT_OK(shop().EditOrderRef(order, "PO-7"));
  NextPoll();
  EXPECT_EQ(Known(order), "2 pending");
  EXPECT_THAT(Body(order), HasSubstr("PO-7"));
  Pass(absl::Minutes(10));

  // The order itself does not move.
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "engraved"));
  NextPoll();
  EXPECT_EQ(Known(order), "3 pending");
  EXPECT_THAT(Body(order), HasSubstr("engraved"));
  Pass(absl::Minutes(10));

  ASSERT_OK(shop().CancelOrder(order));
  NextPoll();
  EXPECT_THAT(Known(order), Not(HasSubstr("pending")));
  Pass(absl::Minutes(10));

  ASSERT_OK(shop().Reconfirm(order));
  NextPoll();
  EXPECT_THAT(Known(order), HasSubstr("pending"));
}

TEST_P(EveryVersionTest, AQuietPollIsOneCall) {
  Begin();
  NextPoll();
  ClearCalls();
  NextPoll();
  EXPECT_THAT(sim_->Calls(), SizeIs(1));
}

TEST_P(EveryVersionTest, ADueLineQueryIsOneCallMore) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Seconds(60);
  Begin(settings);
  NextPoll();
  ClearCalls();
  NextPoll();
  EXPECT_THAT(sim_->Calls(), SizeIs(2));
}

TEST_P(EveryVersionTest, ABatchIsOneCallMoreWhereReadsCanBeNested) {
  if (!Nested()) GTEST_SKIP() << "16 has no nested read";
  Begin();
  Confirm();
  NextPoll();  // knows the fields now
  Pass(absl::Minutes(10));
  ConfirmMany(250);
  ClearCalls();
  NextPoll();
  EXPECT_EQ(KnownOrders(), 251);
  EXPECT_THAT(sim_->Calls(), SizeIs(1 + 3));
}

TEST_P(EveryVersionTest, AsksForTheFieldsOfAModelOnce) {
  Begin();
  for (int i = 0; i < 3; ++i) {
    Confirm();
    NextPoll();
  }
  std::map<std::string, int> asked;
  for (const OdooCall& call : sim_->Calls()) {
    if (call.method == "fields_get") ++asked[call.model];
  }
  EXPECT_THAT(asked, SizeIs(6));
  for (const auto& [model, count] : asked) EXPECT_EQ(count, 1) << model;
}

TEST_P(EveryVersionTest, ReadsPlainlyWhereNestedReadsAreRefused) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_THAT(Body(order), HasSubstr(R"("sku":"WID")"));
}

TEST_P(EveryVersionTest, SuspendsForWrongKeys) {
  Begin();
  shop().SetKey("admin", "new-key");
  NextPoll();
  NextPoll();
  ASSERT_TRUE(State().suspension.has_value()) << State().last_poll.error;
  EXPECT_EQ(State().suspension->reason, "credentials");
}

TEST_P(EveryVersionTest, SuspendsForLostRights) {
  Begin();
  shop().SetRights("admin", Rights::kNone);
  NextPoll();
  ASSERT_TRUE(State().suspension.has_value()) << State().last_poll.error;
  EXPECT_EQ(State().suspension->reason, "rights");
}

TEST_P(EveryVersionTest, AForbiddenOrderIsDeadAndTheOthersGoOn) {
  Begin();
  const std::vector<RecordId> orders = ConfirmMany(5);
  shop().SetRecordFault("sale.order", orders[2], RecordFault());
  NextPoll();
  for (const RecordId order : orders) {
    EXPECT_EQ(Known(order), order == orders[2] ? "1 dead" : "1 pending") << order;
  }
}

TEST_P(EveryVersionTest, TestsTheConnection) {
  Connection connection;
  connection.settings = Settings();
  const auto steps = Await(scheduler_->TestOdoo(std::move(connection)));
  for (const TestStep& step : steps) EXPECT_NE(step.result, TestStep::Result::kFailed) << step.name;
  ASSERT_THAT(steps, SizeIs(8));
  EXPECT_THAT(steps[3].detail, HasSubstr(GetParam() >= 19 ? "JSON-2" : "JSON-RPC"));
}

TEST_P(EveryVersionTest, TestAsksWhetherTheUserSeesAllDocuments) {
  Connection connection;
  connection.settings = Settings();
  for (const bool all : {true, false}) {
    shop().SetRights("admin", all ? Rights::kAll : Rights::kOwnDocuments);
    const auto steps = Await(scheduler_->TestOdoo(connection));
    ASSERT_THAT(steps, SizeIs(8));
    EXPECT_EQ(steps[5].hint.empty(), all) << steps[5].hint;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, EveryVersionTest, testing::Values(16, 17, 18, 19, 20, 21, 22),
                         [](const auto& param_info) {
                           const int version = param_info.param;
                           const bool recorded = version >= 17 && version <= 19;
                           return "Odoo" + std::to_string(version) +
                                  (recorded ? "" : "NotRecorded");
                         });

class UpgradeTest : public PollingFixture {};

// What was found is not found again, and what happened meanwhile is.
TEST_F(UpgradeTest, AServerThatDropsJsonRpcIsFollowedWithoutLosingTheMark) {
  sim_->SetVersion(18);
  Begin();
  const RecordId before = Confirm();
  NextPoll();
  ASSERT_EQ(State().odoo_protocol, OdooProtocol::kJsonRpc);
  const absl::Time mark = State().mark;

  sim_->SetVersion(22);
  const RecordId meanwhile = Confirm();
  NextPoll();
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
  EXPECT_EQ(State().odoo_version, "22.0");
  EXPECT_GT(State().mark, mark);
  EXPECT_EQ(Known(before), "1 pending");
  EXPECT_EQ(Known(meanwhile), "1 pending");
  EXPECT_EQ(KnownOrders(), 2);

  Restart();
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
}

TEST_F(UpgradeTest, AnUpgradeThatTheServerWasDownForIsSeenAtOnce) {
  sim_->SetVersion(18);
  Begin();
  const int down = sim_->faults().Add({.status = 502});
  NextPoll();
  sim_->faults().Remove(down);
  sim_->SetVersion(19);
  NextPoll();
  EXPECT_EQ(State().odoo_version, "19.0");
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
}

TEST_F(UpgradeTest, AnUpgradeThatNobodyNoticedIsSeenWithinADay) {
  sim_->SetVersion(17);
  ConnectionSettings settings = Settings();
  settings.interval = absl::Hours(1);
  Begin(settings);
  sim_->SetVersion(19);
  const RecordId order = Confirm();
  Pass(absl::Hours(25));
  EXPECT_EQ(State().odoo_version, "19.0");
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(UpgradeTest, AskedForFieldsAgain) {
  sim_->SetVersion(17);
  Begin();
  Confirm();
  NextPoll();
  sim_->SetVersion(22);
  ClearCalls();
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  std::vector<std::string> methods;
  for (const OdooCall& call : sim_->Calls()) methods.push_back(call.method);
  EXPECT_THAT(methods, Contains("fields_get"));
}

TEST_F(UpgradeTest, SpeaksTheProtocolThatIsSet) {
  sim_->SetVersion(19);
  Begin();
  ASSERT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
  Edit([](ConnectionSettings& settings) { settings.odoo.protocol = OdooProtocol::kJsonRpc; });
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJsonRpc);
  Edit([](ConnectionSettings& settings) { settings.odoo.protocol = OdooProtocol::kAuto; });
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
}

// A key that ends.
class KeyTest : public PollingFixture {
 protected:
  int Told() {
    const std::vector<std::string> events = Events();
    return static_cast<int>(std::count(events.begin(), events.end(), "key_expiring"));
  }
  double Gauge() { return metrics_.GetGauge("poller_odoo_keys_expiring", "").Value(); }
};

TEST_F(KeyTest, IsSpokenOfFourteenDaysBeforeItEndsAndOnce) {
  sim_->SetVersion(18);
  ConnectionSettings settings = Settings();
  settings.interval = absl::Hours(6);
  const absl::Time end = absl::FromUnixSeconds(absl::ToUnixSeconds(Now() + absl::Hours(24 * 20)));
  shop().SetKey("admin", "admin-key", end);
  Begin(settings);
  EXPECT_EQ(State().key_expires_at, end);
  EXPECT_EQ(Told(), 0);
  EXPECT_EQ(Gauge(), 0);
  Pass(absl::Hours(24 * 8));
  EXPECT_EQ(Told(), 1);
  EXPECT_EQ(Gauge(), 1);
  EXPECT_EQ(storage_->status().Totals()->keys_expiring, 1);
  Pass(absl::Hours(24 * 4));
  EXPECT_EQ(Told(), 0);

  // A new key: all is well again.
  shop().SetKey("admin", "another-key", end + absl::Hours(24 * 90));
  Edit([](ConnectionSettings& changed) { changed.odoo.api_key = Secret("another-key"); });
  EXPECT_EQ(State().key_expires_at, end + absl::Hours(24 * 90));
  EXPECT_EQ(Gauge(), 0);
  EXPECT_EQ(storage_->status().Totals()->keys_expiring, 0);
}

TEST_F(KeyTest, OfAnOdooThatDoesNotTellIsNotAskedFor) {
  sim_->SetVersion(17);
  shop().SetKey("admin", "admin-key", Now() + absl::Hours(24 * 3));
  Begin();
  EXPECT_EQ(State().key_expires_at, std::nullopt);
  EXPECT_EQ(Told(), 0);
  for (const OdooCall& call : sim_->Calls()) EXPECT_NE(call.model, "res.users.apikeys");
}

TEST_F(KeyTest, MayBeHiddenFromUs) {
  sim_->SetVersion(19);
  sim_->faults().Add({.kind = OdooFault::Kind::kError,
                      .model = "res.users.apikeys",
                      .name = "odoo.exceptions.AccessError",
                      .message = "You are not allowed to access 'Users API Keys'"});
  Begin();
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(State().key_expires_at, std::nullopt);
}

// How often one Odoo is called.
class PaceTest : public PollingFixture {
 protected:
  PaceTest() {
    sim_->SetBeforeCall([this](const OdooCall&) { calls_.push_back(clock_.Monotonic()); });
  }
  std::vector<absl::Duration> Gaps() const {
    std::vector<absl::Duration> gaps;
    for (std::size_t i = 1; i < calls_.size(); ++i) gaps.push_back(calls_[i] - calls_[i - 1]);
    return gaps;
  }
  ConnectionSettings Online(const std::string& name = "shop") const {
    ConnectionSettings settings = Settings(name);
    settings.odoo.url = "https://shop.odoo.com";
    return settings;
  }
  std::vector<absl::Duration> calls_;
};

TEST_F(PaceTest, OdooOnlineIsCalledOnceASecond) {
  Begin(Online());
  Pass(absl::Seconds(20));
  EXPECT_THAT(Gaps(), SizeIs(Ge(2)));
  EXPECT_THAT(Gaps(), Each(Ge(absl::Seconds(1))));
}

TEST_F(PaceTest, ConnectionsOfOneOdooShareItsPace) {
  Begin(Online("first"));
  Begin(Online("second"));
  Pass(absl::Seconds(30));
  EXPECT_THAT(Gaps(), SizeIs(Ge(5)));
  EXPECT_THAT(Gaps(), Each(Ge(absl::Seconds(1))));
}

TEST_F(PaceTest, OthersAreNotHeldBack) {
  Begin();
  EXPECT_THAT(Gaps(), SizeIs(Ge(2)));
  EXPECT_THAT(Gaps(), Each(absl::ZeroDuration()));
}

TEST_F(PaceTest, AConnectionsOwnRateCounts) {
  ConnectionSettings settings = Settings();
  settings.odoo.rate = 0.5;
  Begin(settings);
  Pass(absl::Seconds(20));
  EXPECT_THAT(Gaps(), SizeIs(Ge(2)));
  EXPECT_THAT(Gaps(), Each(Ge(absl::Seconds(2))));
}

class ServerPaceTest : public PaceTest {
 protected:
  ServerPaceTest() {
    StopScheduler();
    options_.odoo_rate = 0.25;
    StartScheduler();
  }
};

TEST_F(ServerPaceTest, TheServersRateCountsForThoseThatHaveNone) {
  Begin();
  Pass(absl::Seconds(40));
  EXPECT_THAT(Gaps(), SizeIs(Ge(2)));
  EXPECT_THAT(Gaps(), Each(Ge(absl::Seconds(4))));
}

}  // namespace
}  // namespace poller::test
