// Several connections that deliver to one receiver, and whose breakers are half-open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/delivery/dispatcher.h"
#include "tests/unit/delivery/dispatcher_fixture.h"

namespace poller {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::SizeIs;
using testing::StartsWith;

constexpr int kOrders = 20;

class DispatcherProbeTest : public DispatcherFixture {
 protected:
  // Shops "a", "b", ... whose breakers are open; they open in that order, a second apart.
  void OpenBreakersOf(int count) {
    StartDispatcher();
    Answer(500);
    for (int i = 0; i < count; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      ConnectionSettings settings = ShopSettings(name);
      settings.webhook.url = "https://receiver.example/" + name;
      settings.webhook.secret = Secret("webhook-secret-of-shop");
      connection_ = AddConnection(settings);
      shops_.push_back(connection_);
      names_[connection_.WebhookConnectionId()] = name;
      dispatcher_->Add(connection_.id);
      for (int order = 1; order <= 5; ++order) Deliver({order});
      std::vector<int> more;
      for (int order = 6; order <= kOrders; ++order) more.push_back(order);
      Deliver(more);
      Pass(absl::Seconds(1));
    }
    ASSERT_THAT(net_.requests(), SizeIs(5 * count));
    before_ = net_.requests().size();
  }
  // The shops whose requests were made since the breakers opened.
  std::string Probes() const {
    std::string names;
    for (std::size_t i = before_; i < net_.requests().size(); ++i) {
      names += names_.at(net_.requests()[i].connection_id);
    }
    return names;
  }
  // Answers the one request that is out.
  void EndProbe() {
    ASSERT_EQ(net_.held(), 1);
    net_.Answer();
    Run();
  }
  // The others' breakers are due for their probe, and "a" has it.
  void HoldTheFirstProbe(int status = 200) {
    Answer(status);
    net_.Hold();
    Pass(absl::Seconds(125));
    ASSERT_EQ(Probes(), "a");
  }
  BreakerState BreakerOf(int shop) {
    connection_ = shops_[static_cast<std::size_t>(shop)];
    return Breaker();
  }

  std::vector<Connection> shops_;
  std::map<std::string, std::string> names_;
  std::size_t before_ = 0;
};

TEST_F(DispatcherProbeTest, ConnectionsToOneReceiverShareTheProbe) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  for (int i = 0; i < 3; ++i) EndProbe();
  EXPECT_EQ(Probes(), "abca");
  EndProbe();
  // "a" is closed now and delivers at its own rate, from one at a time on; the others go on.
  EXPECT_THAT(Probes(), AnyOf("abcaab", "abcaba"));
  net_.Release();
  Pass(absl::Minutes(15));
  for (int shop = 0; shop < 3; ++shop) EXPECT_EQ(BreakerOf(shop), BreakerState::kClosed) << shop;
  EXPECT_EQ(Accepted(), 3 * kOrders);
}

TEST_F(DispatcherProbeTest, AFailedProbeLetsTheNextGoToo) {
  OpenBreakersOf(3);
  HoldTheFirstProbe(500);
  for (int i = 0; i < 3; ++i) EndProbe();
  EXPECT_EQ(Probes(), "abc");
  EXPECT_EQ(net_.held(), 0);
  for (int shop = 0; shop < 3; ++shop) EXPECT_EQ(BreakerOf(shop), BreakerState::kOpen) << shop;
}

TEST_F(DispatcherProbeTest, WhoWaitsForTheProbeDoesNotSpin) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  outbox_->looks = 0;
  Pass(absl::Minutes(10));
  // Once a minute each, as without news.
  EXPECT_LE(outbox_->looks, 50);
  outbox_->looks = 0;
  EndProbe();
  EXPECT_EQ(Probes(), "ab");
  // "a", whose probe ended, and "b", whose turn came; "c" is left alone.
  EXPECT_LE(outbox_->looks, 5);
}

TEST_F(DispatcherProbeTest, ADeletedConnectionLeavesTheQueue) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  ASSERT_OK(storage_->connections().Delete(shops_[1].id, /*force=*/true, kActor, clock_.Now()));
  EndProbe();
  EXPECT_EQ(Probes(), "ac");
}

TEST_F(DispatcherProbeTest, APausedConnectionLeavesTheQueue) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  connection_ = shops_[1];
  SetPaused(true);
  EndProbe();
  EXPECT_EQ(Probes(), "ac");
}

TEST_F(DispatcherProbeTest, AConnectionWithAnotherReceiverLeavesTheQueue) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  ConnectionUpdate update;
  update.id = shops_[1].id;
  update.settings = shops_[1].settings;
  update.settings.webhook.url = "https://elsewhere.example/b";
  update.changed = {"webhook.url"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  EndProbe();
  // "b" delivers elsewhere, and "c" has its turn.
  EXPECT_THAT(Probes(), AllOf(StartsWith("ab"), EndsWith("c")));
  EXPECT_EQ(net_.requests().back().url, "https://receiver.example/c");
}

TEST_F(DispatcherProbeTest, AStopWithSomeInTheQueueEnds) {
  OpenBreakersOf(3);
  HoldTheFirstProbe();
  dispatcher_->Stop();
  net_.Release();
  Pass(absl::Seconds(1));
  EXPECT_EQ(tasks_.Running(), 0);
}

}  // namespace
}  // namespace poller
