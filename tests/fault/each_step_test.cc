// One day of a shop, played again for every step on the way, with that step going wrong: the process
// dies before or after a write, a write fails, a request does not arrive, an answer is lost.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fault/verdict.h"
#include "tests/fault/world.h"

namespace poller::test {
namespace {

// All that a shop does, in one order. What goes wrong is armed before.
class Day {
 public:
  Day() : world_(OptionsOfTheDay()) {
    customer_ = world_.shop().AddPartner({.name = "Customer"});
    product_ = world_.shop().AddProduct({.name = "Widget", .default_code = "W-1", .price = 10});
    Confirm();  // before the start: baseline
  }

  World& world() { return world_; }

  // What is wrong in the end; empty: nothing.
  std::vector<std::string> Play() {
    SimDatabase& shop = world_.shop();
    world_.Start(/*create=*/true);
    world_.Advance(absl::Seconds(20));
    const RecordId edited = Confirm(), cancelled = Confirm(), lines = Confirm();
    world_.Advance(absl::Seconds(70));
    (void)shop.EditNote(edited, "<p>call first</p>");
    (void)shop.CancelOrder(cancelled);
    world_.Advance(absl::Seconds(70));
    ReceiverBehaviour refusal;
    refusal.status = 500;
    refusal.times = 2;
    world_.receiver().SetBehaviour(refusal);
    Confirm();
    (void)shop.EditNote(edited, "");  // a content that was there before
    world_.Advance(absl::Minutes(3));
    const auto order = shop.FindOrder(lines);
    (void)shop.EditLineDescription(order->lines.at(0).id, "blue");  // moves no write_date
    (void)shop.Reconfirm(cancelled);
    world_.Advance(absl::Minutes(8));
    Heal();
    std::vector<std::string> wrong = world_.Violations();
    for (std::string& line : CompareOrders(world_)) wrong.push_back(std::move(line));
    return wrong;
  }

 private:
  static World::Options OptionsOfTheDay() {
    World::Options options;
    options.seed = 7;
    options.send_cancelled = true;
    return options;
  }
  RecordId Confirm() {
    return world_.shop().CreateConfirmedOrder(
        {.partner_id = customer_, .lines = {{.product_id = product_, .quantity = 2}}});
  }
  void Heal() {
    world_.crash().Disarm();
    world_.requests().fails = 0;
    world_.receiver().ClearBehaviour();
    world_.Advance(absl::Minutes(40));
  }

  World world_;
  RecordId customer_ = 0, product_ = 0;
};

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

// How many writes and requests an undisturbed day has.
struct Length {
  int writes = 0, requests = 0;
};
Length Undisturbed() {
  Day day;
  EXPECT_EQ(Joined(day.Play()), "");
  return {static_cast<int>(day.world().crash().writes()),
          static_cast<int>(day.world().requests().sent)};
}

TEST(EachStepTest, TheProcessDiesBeforeOrAfterTheKthWrite) {
  const int writes = Undisturbed().writes;
  ASSERT_GT(writes, 20);
  for (int k = 1; k <= writes; ++k) {
    for (const bool before : {true, false}) {
      Day day;
      day.world().crash().Arm(k, before);
      ASSERT_EQ(Joined(day.Play()), "") << (before ? "before" : "after") << " write " << k;
      ASSERT_LE(day.world().restarts(), 1);
    }
  }
}

TEST(EachStepTest, TheKthWriteFails) {
  const int writes = Undisturbed().writes;
  for (int k = 1; k <= writes; ++k) {
    for (const int failures : {1, 12}) {  // once, and for a while
      Day day;
      day.world().crash().ArmFailures(k, failures);
      ASSERT_EQ(Joined(day.Play()), "") << failures << " from write " << k;
      ASSERT_EQ(day.world().restarts(), 0);
    }
  }
}

TEST(EachStepTest, TheKthRequestGoesWrong) {
  const int requests = Undisturbed().requests;
  ASSERT_GT(requests, 40);
  for (int k = 1; k <= requests; ++k) {
    for (const bool lost : {false, true}) {
      Day day;
      day.world().requests().fails = k;
      day.world().requests().answer_lost = lost;
      ASSERT_EQ(Joined(day.Play()), "") << (lost ? "lost answer of" : "lost") << " request " << k;
    }
  }
}

}  // namespace
}  // namespace poller::test
