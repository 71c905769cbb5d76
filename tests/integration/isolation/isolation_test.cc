// A hostile Odoo or receiver changes nothing for others. Each kind of hostility is met by eight
// shops at once, on each leg, while three good shops must go on: their orders are found and
// delivered, round after round, and they are polled all the time. Nothing here measures time: a
// round that does not end within a bound fails, and every hostile request outlasts the test unless
// it is of a kind that ends by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/isolation/neighbours.h"

namespace poller::test {
namespace {

constexpr int kHostile = 8;
constexpr int kGood = 3;
constexpr int kRounds = 4;
constexpr int kPollsARound = 3;
constexpr absl::Duration kBound = absl::Seconds(25);  // of one round

struct Hostility {
  const char* name;
  std::function<TestReply()> answer;  // null: none, ever
  friend std::ostream& operator<<(std::ostream& out, const Hostility& kind) {
    return out << kind.name;
  }
};

TestReply Large(std::string body) {
  TestReply reply = TextReply(200, std::move(body));
  reply.headers.Set("Content-Type", "application/json");
  return reply;
}

TestReply Slow() {
  TestReply reply = Large("{}");
  reply.delay = absl::Hours(1);
  return reply;
}
TestReply Dripping() {
  TestReply reply = Large(std::string(1 << 20, ' '));
  reply.drip_bytes = 1;
  reply.drip_every = absl::Milliseconds(20);
  return reply;
}
TestReply Enormous() {
  TestReply reply = Large("");
  reply.filler = 1ULL << 40;
  return reply;
}
TestReply Bomb() {
  static const std::string bomb = Gzip(std::string(256 << 20, ' '));
  TestReply reply = Large(bomb);
  reply.headers.Set("Content-Encoding", "gzip");
  return reply;
}
TestReply Resetting() {
  TestReply reply = Large("{}");
  reply.ending = Ending::kReset;
  return reply;
}
TestReply HalfAnswered() {
  TestReply reply = Large(std::string(1 << 20, ' '));
  reply.ending = Ending::kHang;
  reply.cut_after = 900'000;
  return reply;
}

const Hostility kHostilities[] = {
    {"Hanging", nullptr},          {"Slow", Slow},     {"Dripping", Dripping},
    {"Enormous", Enormous},        {"GzipBomb", Bomb}, {"Resetting", Resetting},
    {"HalfAnswered", HalfAnswered}};

class IsolationTest : public testing::TestWithParam<Hostility> {
 protected:
  IsolationTest() {
    for (int i = 0; i < kHostile; ++i) {
      hostile_.push_back(
          HttpServer::Start(HttpServer::Options(), [this](TestRequest, Responder responder) {
            if (GetParam().answer) {
              responder.Send(GetParam().answer());
            } else {
              absl::MutexLock lock(&mu_);
              unanswered_.push_back(std::move(responder));
            }
          }).value());
    }
    for (int i = 0; i < kGood; ++i) good_.push_back(std::make_unique<Shop>());
  }

  void AddGood() {
    for (int i = 0; i < kGood; ++i) {
      Shop& shop = *good_[static_cast<std::size_t>(i)];
      service_.Add("good" + std::to_string(i), shop.OdooUrl(), shop.WebhookUrl());
    }
    for (const auto& shop : good_) ASSERT_TRUE(WaitFor([&] { return shop->Polls() >= 1; }));
  }
  void WaitForHostile() {
    for (const auto& server : hostile_) {
      ASSERT_TRUE(WaitFor([&] { return server->counts().requests >= 1; }));
    }
  }
  // The good shops sell, are polled and deliver, as if nobody else were there.
  void GoodShopsGoOn() {
    for (int round = 1; round <= kRounds; ++round) {
      std::vector<std::int64_t> polls;
      for (const auto& shop : good_) {
        polls.push_back(shop->Polls());
        shop->Confirm();
      }
      for (std::size_t i = 0; i < good_.size(); ++i) {
        ASSERT_TRUE(good_[i]->receiver().WaitFor(
            [&](const ReceiverSummary& s) { return s.accepted_orders >= round; }, kBound))
            << "shop " << i << " in round " << round;
        ASSERT_TRUE(WaitFor([&] { return good_[i]->Polls() >= polls[i] + kPollsARound; }))
            << "shop " << i << " in round " << round;
        EXPECT_LE(service_.AnswerBytes(), 2 * Neighbours::kAnswerBudget);
      }
    }
    for (const auto& shop : good_) {
      const ReceiverSummary summary = shop->receiver().Summary();
      EXPECT_EQ(summary.attempts, kRounds);
      EXPECT_EQ(summary.violations, 0);
    }
  }
  static bool WaitFor(const std::function<bool()>& done) {
    const absl::Duration until = SystemClock().Monotonic() + kBound;
    while (!done()) {
      if (SystemClock().Monotonic() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  absl::Mutex mu_;
  std::vector<Responder> unanswered_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Shop>> good_, victims_;
  std::vector<std::unique_ptr<HttpServer>> hostile_;
  Neighbours service_;  // ends before the servers do
};

TEST_P(IsolationTest, OdoosHarmNoOtherShop) {
  for (int i = 0; i < kHostile; ++i) {
    service_.Add("bad" + std::to_string(i), hostile_[static_cast<std::size_t>(i)]->Url(),
                 good_[0]->WebhookUrl());
  }
  WaitForHostile();
  AddGood();
  GoodShopsGoOn();
}

TEST_P(IsolationTest, ReceiversHarmNoOtherShop) {
  for (int i = 0; i < kHostile; ++i) {
    victims_.push_back(std::make_unique<Shop>());
    service_.Add("bad" + std::to_string(i), victims_.back()->OdooUrl(),
                 hostile_[static_cast<std::size_t>(i)]->Url("/hook"));
  }
  AddGood();
  for (const auto& victim : victims_) {
    ASSERT_TRUE(WaitFor([&] { return victim->Polls() >= 2; }));
    for (int order = 0; order < 20; ++order) victim->Confirm();
  }
  WaitForHostile();
  GoodShopsGoOn();
}

INSTANTIATE_TEST_SUITE_P(Hostile, IsolationTest, testing::ValuesIn(kHostilities),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace poller::test
