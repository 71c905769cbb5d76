// One day of a shop, played again for every step on the way, with that step going wrong: the process
// dies before or after a write, a write fails, a request does not arrive, an answer is lost.
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

#include "tests/fault/verdict.h"
#include "tests/fault/world.h"

namespace poller::test {
namespace {

// How many writes and requests a day has.
struct Length {
  int writes = 0, requests = 0;
};

// A shop's day, in one order. What goes wrong is armed before.
class Day {
 public:
  explicit Day(World::Options options = Options()) : world_(options) {
    customer_ = world_.shop().AddPartner({.name = "Customer"});
    product_ = world_.shop().AddProduct({.name = "Widget", .default_code = "W-1", .price = 10});
    Confirm();  // before the start: baseline
  }
  virtual ~Day() = default;

  World& world() { return world_; }
  // Until everything is healed, which is not disturbed.
  Length length() const { return length_; }

  // What is wrong in the end; empty: nothing.
  std::vector<std::string> Play() {
    world_.Start(/*create=*/true);
    world_.Advance(absl::Seconds(20));
    Pass();
    length_ = {static_cast<int>(world_.crash().writes()), static_cast<int>(world_.requests().sent)};
    Heal();
    std::vector<std::string> wrong = world_.Violations();
    for (std::string& line : Compare()) wrong.push_back(std::move(line));
    return wrong;
  }

 protected:
  static World::Options Options() {
    World::Options options;
    options.seed = 7;
    options.send_cancelled = true;
    return options;
  }
  RecordId Confirm() {
    return world_.shop().CreateConfirmedOrder(
        {.partner_id = customer_, .lines = {{.product_id = product_, .quantity = 2}}});
  }

 private:
  virtual void Pass() {
    SimDatabase& shop = world_.shop();
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
  }
  virtual std::vector<std::string> Compare() { return CompareOrders(world_); }
  void Heal() {
    world_.crash().Disarm();
    world_.requests().fails = 0;
    world_.receiver().ClearBehaviour();
    world_.Advance(absl::Minutes(40));
  }

  World world_;
  RecordId customer_ = 0, product_ = 0;
  Length length_;
};

// A shop whose history is fetched behind the polls, while it works, and is compared afterwards.
class DayWithHistory final : public Day {
 public:
  DayWithHistory() : Day(FromTheBeginning()) {
    for (int i = 0; i < 8; ++i) Confirm();
  }

 private:
  static World::Options FromTheBeginning() {
    World::Options options = Options();
    options.start_from.kind = StartFrom::Kind::kBeginning;
    options.page_size = 5;
    options.batch_size = 3;
    return options;
  }
  void Pass() override {
    SimDatabase& shop = world().shop();
    const std::vector<SimOrder> orders = shop.Orders();
    (void)shop.EditNote(orders.at(2).id, "<p>edited while history is fetched</p>");
    Confirm();
    world().Advance(absl::Minutes(4));
    world().StartJob(JobKind::kReconcile, /*repair=*/true);
    world().Advance(absl::Seconds(20));
    (void)shop.EditNote(orders.at(7).id, "<p>edited while it is compared</p>");
    world().Advance(absl::Minutes(4));
  }
  std::vector<std::string> Compare() override {
    std::vector<std::string> wrong = CompareOrders(world(), /*with_history=*/true);
    const auto jobs = world().storage().jobs().List(JobFilter(), JobId(), 10);
    if (jobs.value().size() != 2) wrong.push_back("there are not two jobs");
    for (const Job& job : *jobs) {
      if (job.state != JobState::kSucceeded)
        wrong.push_back("job " + std::to_string(job.id.value()) + ": " + job.error);
    }
    return wrong;
  }
};

// An operator makes a token, and gives the webhooks a new secret, by calls that are repeated under
// their request ids until they are answered.
class DayWithAnOperator final : public Day {
 private:
  Actor Asking(const std::string& request_id) {
    return {.token_name = "ops", .request_id = request_id, .request_digest = "digest"};
  }
  // The answer, whatever happens on the way.
  template <class Call>
  auto Insist(Call call) {
    while (true) {
      auto answer = call();
      if (answer.ok()) return *std::move(answer);
      world().Advance(absl::Seconds(1));  // and a new process, if it died
    }
  }
  // Another secret each time: the server makes it before it knows whether the call is a repeat.
  ConnectionStore::Rotated Rotate(SecretChange change, const std::string& request_id) {
    change.id = world().connection();
    const auto rotated = Insist([&] {
      last_ = "whsec_" + std::string(40, static_cast<char>('A' + ++made_ % 26));
      change.secret = Secret(last_);
      return world().connections().RotateSecret(change, Asking(request_id), world().clock().Now());
    });
    world().SettingsChanged();
    return rotated;
  }
  // As a call whose answer is kept afterwards (server/rpc/once.h).
  void Pause(bool paused, const std::string& request_id) {
    Insist([&]() -> absl::StatusOr<bool> {
      const Actor actor = Asking(request_id);
      const absl::Time now = world().clock().Now();
      const auto known = world().kept_requests().Find("Pause", actor, now);
      if (!known.ok()) return known.status();
      if (known->has_value()) return true;
      const auto done =
          world().connections().SetPaused(world().connection(), paused, std::nullopt, actor, now);
      if (!done.ok()) return done.status();
      const absl::Status kept = world().kept_requests().Keep("Pause", actor, "paused", now);
      if (!kept.ok()) return kept;
      return true;
    });
    world().SettingsChanged();
  }

  void Pass() override {
    Confirm();
    world().Advance(absl::Seconds(70));
    Insist([this] {
      const Secret text("token " + std::to_string(++made_) + " of at least thirty-two bytes");
      return world().tokens().Create("ci", Role::kViewer, text, Asking("token"),
                                     world().clock().Now());
    });
    Pause(true, "pause");
    Confirm();
    Pause(false, "resume");
    auto rotated = Rotate({.id = {}, .secret = {}, .overlap = absl::Hours(2)}, "rotate");
    // The answer to a repeat holds no secret.
    for (int i = 1; rotated.repeated; ++i)
      rotated = Rotate({.id = {}, .secret = {}, .overlap = std::nullopt, .again = true},
                       "again " + std::to_string(i));
    Confirm();
    world().Advance(absl::Minutes(2));  // the receiver has the old one alone
    world().receiver().ClearSecrets("");
    world().receiver().AddSecret("", last_);
    Confirm();
    world().Advance(absl::Minutes(2));
    Insist([this] {
      SecretChange end{
          .id = world().connection(), .secret = Secret(last_), .overlap = absl::Duration()};
      const auto ended =
          world().connections().RotateSecret(end, Asking("end"), world().clock().Now());
      return ended;
    });
    world().SettingsChanged();
    Confirm();
    world().Advance(absl::Minutes(8));
  }
  std::vector<std::string> Compare() override {
    std::vector<std::string> wrong = CompareOrders(world());
    const auto found = world().storage().connections().Get(world().connection());
    if (found->connection.settings.webhook.secret != Secret(last_) || found->connection.rotation)
      wrong.push_back("the receiver's secret is not the one that signs");
    if (found->connection.settings.paused_polling) wrong.push_back("it is paused");
    int created = 0, rotated = 0;
    for (const SyncEvent& event : *world().storage().events().Read(EventSequence(), 10000)) {
      if (event.type == EventType::kTokenChanged) ++created;
      if (event.detail.reason == "rotated") ++rotated;
    }
    if (created != 1) wrong.push_back(std::to_string(created) + " tokens were made");
    if (rotated != 1) wrong.push_back("rotated " + std::to_string(rotated) + " times");
    return wrong;
  }

  std::string last_;
  int made_ = 0;
};

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

template <class ADay>
Length Undisturbed() {
  ADay day;
  EXPECT_EQ(Joined(day.Play()), "");
  return day.length();
}

template <class ADay>
class EachStepTest : public testing::Test {};
using Days = testing::Types<Day, DayWithHistory, DayWithAnOperator>;
struct DayNames {
  template <class ADay>
  static std::string GetName(int) {
    if (std::is_same_v<ADay, DayWithAnOperator>) return "DayWithAnOperator";
    return std::is_same_v<ADay, Day> ? "Day" : "DayWithHistory";
  }
};
TYPED_TEST_SUITE(EachStepTest, Days, DayNames);

TYPED_TEST(EachStepTest, TheProcessDiesBeforeOrAfterTheKthWrite) {
  const int writes = Undisturbed<TypeParam>().writes;
  ASSERT_GT(writes, 20);
  for (int k = 1; k <= writes; ++k) {
    for (const bool before : {true, false}) {
      TypeParam day;
      day.world().crash().Arm(k, before);
      ASSERT_EQ(Joined(day.Play()), "") << (before ? "before" : "after") << " write " << k;
      ASSERT_EQ(day.world().restarts(), 1);
    }
  }
}

TYPED_TEST(EachStepTest, TheKthWriteFails) {
  const int writes = Undisturbed<TypeParam>().writes;
  ASSERT_GT(writes, 20);
  for (int k = 1; k <= writes; ++k) {
    for (const int failures : {1, 12}) {  // once, and for a while
      TypeParam day;
      day.world().crash().ArmFailures(k, failures);
      ASSERT_EQ(Joined(day.Play()), "") << failures << " from write " << k;
      ASSERT_GT(day.world().crash().failed(), 0);
      ASSERT_EQ(day.world().restarts(), 0);
    }
  }
}

TYPED_TEST(EachStepTest, TheKthRequestGoesWrong) {
  const int requests = Undisturbed<TypeParam>().requests;
  ASSERT_GT(requests, 40);
  for (int k = 1; k <= requests; ++k) {
    for (const bool lost : {false, true}) {
      TypeParam day;
      day.world().requests().fails = k;
      day.world().requests().answer_lost = lost;
      ASSERT_EQ(Joined(day.Play()), "") << (lost ? "lost answer of" : "lost") << " request " << k;
      ASSERT_GE(day.length().requests, k);
    }
  }
}

}  // namespace
}  // namespace poller::test
