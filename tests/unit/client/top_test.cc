// top: what it shows, by table, and its keys.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/commands/top_view.h"
#include "client/output/text.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

void SetTime(google::protobuf::Timestamp* proto, absl::Time time) {
  proto->set_seconds(absl::ToUnixSeconds(time));
}

api::Connection Shop(std::int64_t id, const std::string& name, api::ConnectionHealth health) {
  api::Connection connection;
  connection.set_id(id);
  connection.set_name(name);
  connection.mutable_state()->set_health(health);
  return connection;
}

void Polled(api::Connection& connection, absl::Time time, std::int64_t found) {
  SetTime(connection.mutable_state()->mutable_last_poll()->mutable_start_time(), time);
  connection.mutable_state()->mutable_last_poll()->set_found(found);
}

TopSample Sample(absl::Time time, std::int64_t newest_event,
                 std::vector<api::Connection> connections) {
  TopSample sample;
  sample.time = time;
  sample.status.set_version("1.2.3");
  sample.status.mutable_uptime()->set_seconds(3725);
  sample.status.set_connection_count(static_cast<std::int64_t>(connections.size()));
  sample.status.mutable_event_log()->set_log_id("log");
  sample.status.mutable_event_log()->set_newest_sequence(newest_event);
  sample.connections = std::move(connections);
  return sample;
}

std::string Text(const TopHistory& history, const TopView& view, const Look& look = {},
                 std::optional<std::size_t> height = std::nullopt) {
  std::string text;
  for (const std::string& line : TopLines(history, view, look, height)) text += line + "\n";
  return text;
}

TEST(TopHistoryTest, EventsPerSecondComeFromTwoSamplesOfTheSameLog) {
  TopHistory history;
  history.Add(Sample(kNow, 100, {}));
  EXPECT_EQ(history.EventRate(), std::nullopt);
  history.Add(Sample(kNow + absl::Seconds(2), 107, {}));
  EXPECT_EQ(history.EventRate(), 3.5);
  TopSample other = Sample(kNow + absl::Seconds(4), 3, {});
  other.status.mutable_event_log()->set_log_id("restored");
  history.Add(std::move(other));
  EXPECT_EQ(history.EventRate(), std::nullopt);
}

TEST(TopHistoryTest, OrdersPerMinuteCountEachPollOnceWithinAMinute) {
  TopHistory history;
  auto shop = Shop(1, "a", api::CONNECTION_HEALTH_HEALTHY);
  Polled(shop, kNow - absl::Seconds(5), 1000);  // before we looked
  history.Add(Sample(kNow, 0, {shop}));
  EXPECT_EQ(history.OrderRate(1), std::nullopt);
  Polled(shop, kNow + absl::Seconds(10), 6);
  history.Add(Sample(kNow + absl::Seconds(15), 0, {shop}));
  history.Add(Sample(kNow + absl::Seconds(30), 0, {shop}));  // the same poll again
  EXPECT_EQ(history.OrderRate(1), 12);                       // 6 in half a minute
  history.Add(Sample(kNow + absl::Seconds(80), 0, {shop}));
  EXPECT_EQ(history.OrderRate(1), 0);
}

TEST(TopHistoryTest, AConnectionThatWasDeletedIsForgotten) {
  TopHistory history;
  const auto shop = Shop(1, "a", api::CONNECTION_HEALTH_HEALTHY);
  history.Add(Sample(kNow, 0, {shop}));
  history.Add(Sample(kNow + absl::Seconds(30), 0, {}));
  EXPECT_EQ(history.OrderRate(1), std::nullopt);
}

TEST(TopLinesTest, WhatNeedsSomebodyStandsFirst) {
  auto dead = Shop(2, "b-dead", api::CONNECTION_HEALTH_HEALTHY);
  dead.mutable_state()->set_dead_count(1);
  auto late = Shop(3, "c-late", api::CONNECTION_HEALTH_HEALTHY);
  late.mutable_state()->set_waiting_count(2);
  SetTime(late.mutable_state()->mutable_oldest_waiting_time(), kNow - absl::Minutes(5));
  TopHistory history;
  history.Add(Sample(kNow, 0,
                     {Shop(1, "a-well", api::CONNECTION_HEALTH_HEALTHY), dead, late,
                      Shop(4, "d-degraded", api::CONNECTION_HEALTH_DEGRADED),
                      Shop(5, "e-open", api::CONNECTION_HEALTH_CIRCUIT_OPEN),
                      Shop(6, "f-suspended", api::CONNECTION_HEALTH_SUSPENDED)}));
  const std::string text = Text(history, {});
  std::size_t before = 0;
  for (const char* name : {"f-suspended", "e-open", "d-degraded", "b-dead", "c-late", "a-well"}) {
    const std::size_t at = text.find(name);
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_GT(at, before) << name << "\n" << text;
    before = at;
  }
  EXPECT_THAT(text, HasSubstr("5m ago"));
}

TEST(TopLinesTest, SortsAsTold) {
  auto busy = Shop(2, "b", api::CONNECTION_HEALTH_HEALTHY);
  busy.mutable_state()->set_waiting_count(9);
  Polled(busy, kNow, 0);
  TopHistory history;
  history.Add(Sample(kNow, 0, {busy, Shop(1, "a", api::CONNECTION_HEALTH_HEALTHY)}));
  const auto first = [&history](TopSort sort) {
    TopView view;
    view.sort = sort;
    return TopLines(history, view, {}, std::nullopt).at(5).substr(0, 1);
  };
  EXPECT_EQ(first(TopSort::kName), "a");
  EXPECT_EQ(first(TopSort::kWaiting), "b");
  EXPECT_EQ(first(TopSort::kLastPoll), "a");  // never polled: the longest ago
  TopSort sort = TopSort::kNeed;
  for (int i = 0; i < 5; ++i) sort = NextSort(sort);
  EXPECT_EQ(sort, TopSort::kNeed);
}

TEST(TopLinesTest, TotalsStandOnTop) {
  TopSample sample = Sample(kNow, 0, {});
  sample.status.set_waiting_count(7);
  SetTime(sample.status.mutable_oldest_waiting_time(), kNow - absl::Seconds(30));
  sample.status.set_dead_count(2);
  sample.status.set_unhealthy_count(1);
  sample.status.set_disk_free_bytes(std::int64_t{5} << 30);
  TopHistory history;
  history.Add(std::move(sample));
  TopView view;
  view.server = "h:1";
  EXPECT_THAT(Text(history, view),
              AllOf(HasSubstr("pollerd 1.2.3 at h:1, up 1h2m5s, - events/s\n"),
                    HasSubstr("1 unhealthy"), HasSubstr("7 waiting, the oldest since 30s ago"),
                    HasSubstr("2 dead"), HasSubstr("5.0 GiB of disk free")));
}

TEST(TopLinesTest, ShowsBreakersAndTheLastError) {
  auto shop = Shop(1, "a", api::CONNECTION_HEALTH_CIRCUIT_OPEN);
  shop.mutable_state()->mutable_odoo_breaker()->set_state(api::BREAKER_STATE_OPEN);
  shop.mutable_state()->mutable_odoo_breaker()->set_last_error("refused\x1b[2J");
  shop.mutable_state()->mutable_receiver_breaker()->set_state(api::BREAKER_STATE_HALF_OPEN);
  TopHistory history;
  history.Add(Sample(kNow, 0, {shop}));
  EXPECT_THAT(Text(history, {}),
              AllOf(HasSubstr("odoo+receiver?"), HasSubstr("refused"), Not(HasSubstr("\x1b"))));
}

TEST(TopLinesTest, ShowsOnlyUnhealthyOnesIfTold) {
  TopHistory history;
  history.Add(Sample(kNow, 0,
                     {Shop(1, "well", api::CONNECTION_HEALTH_HEALTHY),
                      Shop(2, "ill", api::CONNECTION_HEALTH_DEGRADED)}));
  TopView view;
  view.unhealthy_only = true;
  EXPECT_THAT(Text(history, view), AllOf(HasSubstr("ill"), Not(HasSubstr("well"))));
}

TEST(TopLinesTest, FitsEveryWindow) {
  std::vector<api::Connection> shops;
  for (int i = 1; i <= 40; ++i)
    shops.push_back(Shop(i, "日本語の店" + std::to_string(i), api::CONNECTION_HEALTH_DEGRADED));
  TopHistory history;
  history.Add(Sample(kNow, 0, shops));
  TopView view;
  view.server = "poller.example:50051";
  view.trouble = "no answer, trying again: connection refused by a very distant machine";
  for (std::size_t width = 1; width <= 160; width += 3) {
    for (std::size_t height : {1U, 2U, 5U, 24U, 60U}) {
      const auto lines = TopLines(history, view, {.width = width}, height);
      EXPECT_LE(lines.size(), std::max<std::size_t>(height, 2));
      for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
  EXPECT_THAT(Text(history, view, {.width = 100}, 24), HasSubstr("… "));
  EXPECT_EQ(TopLines(history, view, {.width = 100}, 24).back().substr(0, 6), "q quit");
}

TEST(TopLinesTest, ScrollsToTheLastRowAndNoFurther) {
  std::vector<api::Connection> shops;
  for (int i = 10; i < 50; ++i)
    shops.push_back(Shop(i, "shop" + std::to_string(i), api::CONNECTION_HEALTH_HEALTHY));
  TopHistory history;
  history.Add(Sample(kNow, 0, shops));
  TopView view;
  EXPECT_THAT(Text(history, view, {}, 24), AllOf(HasSubstr("shop10"), HasSubstr("shop26"),
                                                 Not(HasSubstr("shop27")), HasSubstr("… 23 more")));
  view.first = 5;
  EXPECT_THAT(Text(history, view, {}, 24),
              AllOf(Not(HasSubstr("shop14")), HasSubstr("NAME"), HasSubstr("shop15"),
                    HasSubstr("shop31"), HasSubstr("… 5 above, 18 below")));
  view.first = 1000;
  EXPECT_EQ(RowsIn(history, view, 24).first, 23u);
  EXPECT_THAT(Text(history, view, {}, 24),
              AllOf(HasSubstr("shop33"), HasSubstr("shop49"), HasSubstr("… 23 above, 0 below")));
  EXPECT_THAT(Text(history, view, {}, 60), AllOf(HasSubstr("shop10"), Not(HasSubstr("above"))));
}

class TopTest : public ClientTest {
 protected:
  TopTest() {
    api::Connection ill = ClientTest::Shop(2, "ill");
    ill.mutable_state()->set_health(api::CONNECTION_HEALTH_SUSPENDED);
    ScriptShops({ClientTest::Shop(1, "well"), ill});
  }
};

TEST_F(TopTest, RefusesWithoutATerminalAndSaysWhatToUse) {
  const Result result = Run({"top"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("status --watch -o jsonl"), HasSubstr("top --once")));
  EXPECT_EQ(Run({"top", "-o", "json"}).code, 2);
}

TEST_F(TopTest, OncePrintsOneTable) {
  const Result result = Run({"top", "--once"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("pollerd 1.2.3"), HasSubstr("NAME"), HasSubstr("well"),
                                Not(HasSubstr("q quit"))));
}

TEST_F(TopTest, KeysSortFilterAndPause) {
  ScreenScript script;
  script.keys = {ScreenScript::kUntilWoken, 'u', 's', 'p'};
  terminal.screen = &script;
  const Result result = Run({"top", "--interval", "1h"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(script.Last(), AllOf(HasSubstr("ill"), Not(HasSubstr("well")),
                                   HasSubstr("sort: name"), HasSubstr("frozen")));
}

TEST_F(TopTest, KeysScroll) {
  std::vector<api::Connection> shops;
  for (int i = 10; i < 50; ++i) shops.push_back(ClientTest::Shop(i, "shop" + std::to_string(i)));
  ScriptShops(shops);
  const auto after = [this](std::deque<char> keys) {
    ScreenScript script;
    script.keys = std::move(keys);
    script.keys.push_front(ScreenScript::kUntilWoken);
    terminal.screen = &script;
    EXPECT_EQ(Run({"top", "--interval", "1h"}).code, 0);
    return script.Last();
  };
  EXPECT_THAT(after({kKeyDown, kKeyDown, kKeyUp}), HasSubstr("… 1 above, 22 below"));
  EXPECT_THAT(after({kKeyPageDown}), HasSubstr("… 17 above, 6 below"));
  EXPECT_THAT(after({kKeyPageDown, kKeyPageDown, kKeyUp}), HasSubstr("… 22 above, 1 below"));
  EXPECT_THAT(after({kKeyEnd, kKeyPageUp}), HasSubstr("… 6 above, 17 below"));
  EXPECT_THAT(after({kKeyEnd, kKeyHome}), HasSubstr("… 23 more"));
  EXPECT_THAT(after({kKeyEnd, 's'}), HasSubstr("… 23 more"));
}

TEST_F(TopTest, AnErrorOfTheFirstAnswerIsSaidAfterTheScreenIsGivenBack) {
  ScreenScript script;
  script.keys = {ScreenScript::kUntilWoken};
  terminal.screen = &script;
  const Result result = Run({"top", "--server", "127.0.0.1:1"});
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.err, HasSubstr("cannot reach a server"));
}

TEST_F(TopTest, ALaterErrorIsShownAboveTheOldNumbers) {
  server.admin.script_GetServerStatus.answer = [this](const auto&,
                                                      api::GetServerStatusResponse& response) {
    response.set_version("1.2.3");
    return server.admin.script_GetServerStatus.requests.size() == 1
               ? grpc::Status::OK
               : grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  };
  ScreenScript script;
  // Whichever refresh a wake belongs to, the second answer is there after two.
  script.keys = {ScreenScript::kUntilWoken, ScreenScript::kUntilWoken};
  terminal.screen = &script;
  EXPECT_EQ(Run({"top", "--interval", "100ms"}).code, 0);
  EXPECT_THAT(script.Last(), AllOf(HasSubstr("trying again: gone"), HasSubstr("well")));
}

TEST_F(TopTest, AnInterruptEndsIt) {
  ScreenScript script;
  script.keys = {ScreenScript::kUntilWoken, ScreenScript::kUntilWoken};
  script.before_wait = [this, &script] {
    if (script.keys.size() == 1) interrupt.Press();
  };
  terminal.screen = &script;
  EXPECT_EQ(Run({"top", "--interval", "1h"}).code, 0);
}

}  // namespace
}  // namespace poller::client
