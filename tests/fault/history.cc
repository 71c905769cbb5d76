#include "tests/fault/history.h"

#include "tests/fault/verdict.h"

namespace poller::test {
namespace {

World::Options OptionsFor(std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  World::Options options;
  options.seed = seed;
  options.odoo_version = std::uniform_int_distribution<int>(17, 19)(chance);
  options.send_cancelled = std::uniform_int_distribution<int>(0, 1)(chance) == 1;
  options.odoo_skew = absl::Seconds(std::uniform_int_distribution<int>(-20, 20)(chance));
  return options;
}

}  // namespace

History::History(std::uint64_t seed)
    : chance_(seed ^ 0x9e3779b97f4a7c15), world_(OptionsFor(seed)) {
  customer_ = world_.shop().AddPartner({.name = "Customer"});
  product_ = world_.shop().AddProduct({.name = "Widget", .default_code = "W-1", .price = 10});
}

std::vector<std::string> History::Play() {
  // Some shops have orders before, some are empty.
  if (Int(0, 1) == 1) Bulk();
  world_.Start(/*create=*/true);
  world_.Advance(absl::Seconds(20));
  const int steps = Int(10, 60);
  for (int i = 0; i < steps; ++i) Step();
  Heal();
  std::vector<std::string> wrong = world_.Violations();
  for (std::string& line : CompareOrders(world_)) wrong.push_back(std::move(line));
  return wrong;
}

void History::Step() {
  if (Int(0, 9) < 7) ActInShop();
  if (Int(0, 9) < 3) Trouble();
  world_.Advance(Int(0, 3) == 0 ? absl::Milliseconds(Int(1, 1500)) : absl::Seconds(Int(1, 90)));
  CommitDue(/*all=*/false);
}

RecordId History::AnyOrder() {
  const std::vector<SimOrder> orders = world_.shop().Orders();
  if (orders.empty()) return 0;
  return orders[static_cast<std::size_t>(Int(0, static_cast<int>(orders.size()) - 1))].id;
}

RecordId History::AnyLine(RecordId order) {
  const auto found = world_.shop().FindOrder(order);
  if (!found.has_value() || found->lines.empty()) return 0;
  return found->lines[static_cast<std::size_t>(Int(0, static_cast<int>(found->lines.size()) - 1))]
      .id;
}

// How long a transaction stays open. Now and then longer than the polls look back: only a sweep
// finds what it did then.
absl::Duration History::LateBy() {
  return absl::Seconds(Int(0, 4) == 0 ? Int(240, 1800) : Int(1, 120));
}

// One transaction over many orders.
void History::Bulk() {
  const Tx tx = world_.shop().Begin();
  const int count = Int(2, 25);
  for (int i = 0; i < count; ++i) {
    world_.shop().CreateConfirmedOrder(
        {.partner_id = customer_, .lines = {{.product_id = product_, .quantity = 1.0 + i}}}, tx);
  }
  if (Int(0, 1) == 0) {
    world_.shop().Commit(tx);
  } else {
    late_.push_back({tx, world_.clock().Monotonic() + LateBy()});
  }
}

void History::Edit(RecordId order, Tx tx) {
  SimDatabase& shop = world_.shop();
  const RecordId line = AnyLine(order);
  switch (Int(0, 7)) {
    case 0:
      (void)shop.EditOrderRef(order, "ref-" + std::to_string(Int(0, 2)), tx);
      break;  // contents return
    case 1:
      (void)shop.EditNote(order, "<p>" + std::to_string(Int(0, 9)) + "</p>", tx);
      break;
    case 2:
      if (line != 0) (void)shop.EditLinePrice(line, Int(1, 20), tx);
      break;
    case 3:
      if (line != 0) (void)shop.EditLineQuantity(line, Int(1, 5), tx);
      break;
    case 4:
      if (line != 0) (void)shop.EditLineDescription(line, "text " + std::to_string(Int(0, 9)), tx);
      break;
    case 5:
      (void)shop.AddLine(order,
                         {.product_id = product_, .quantity = static_cast<double>(Int(1, 4))}, tx);
      break;
    case 6:
      (void)shop.TouchOrder(order, tx);
      break;
    case 7:
      (void)shop.LockOrder(order, tx);
      break;
  }
}

void History::ActInShop() {
  SimDatabase& shop = world_.shop();
  const RecordId order = AnyOrder();
  switch (order == 0 ? Int(0, 1) : Int(0, 9)) {
    case 0:
      Bulk();
      break;
    case 1:
      shop.CreateConfirmedOrder(
          {.partner_id = customer_,
           .lines = {{.product_id = product_, .quantity = static_cast<double>(Int(1, 9))}}});
      break;
    case 2:
    case 3:
      Edit(order, {});
      break;
    case 4: {  // two edits within a second, with a look in between perhaps
      Edit(order, {});
      world_.Advance(absl::Milliseconds(Int(1, 700)));
      Edit(order, {});
      break;
    }
    case 5: {  // an edit that commits late
      const Tx tx = shop.Begin();
      Edit(order, tx);
      late_.push_back({tx, world_.clock().Monotonic() + LateBy()});
      break;
    }
    case 6:
      (void)shop.CancelOrder(order);
      break;
    case 7:
      (void)shop.Reconfirm(order);
      break;
    case 8:
      if (shop.CancelOrder(order).ok() && Int(0, 1) == 1) (void)shop.DeleteOrder(order);
      break;
    case 9:
      (void)shop.DraftOrder(order);
      break;
  }
}

void History::Trouble() {
  NetworkFaults& faults = world_.faults();
  switch (Int(0, 8)) {
    case 0:
      faults.odoo_unreachable = Int(0, 2) * 0.3;
      break;
    case 1:
      faults.odoo_answer_lost = Int(0, 2) * 0.2;
      break;
    case 2:
      faults.receiver_unreachable = Int(0, 2) * 0.4;
      break;
    case 3:
      faults.receiver_answer_lost = Int(0, 2) * 0.3;
      break;
    case 4:
      faults.receiver_refuses = Int(0, 2) * 0.4;
      break;
    case 5:
      faults = NetworkFaults();
      break;
    case 6:
      world_.clock().JumpWall(absl::Hours(Int(-72, 72)));
      break;
    case 7:
    case 8:
      world_.crash().Arm(Int(1, 12), /*before=*/Int(0, 1) == 0);
      break;
  }
}

void History::CommitDue(bool all) {
  std::erase_if(late_, [&](const LateCommit& late) {
    if (!all && late.at > world_.clock().Monotonic()) return false;
    world_.shop().Commit(late.tx);
    return true;
  });
}

void History::Heal() {
  CommitDue(/*all=*/true);
  world_.faults() = NetworkFaults();
  world_.crash().Disarm();
  world_.receiver().ClearBehaviour();
  // Breakers close, backoff ends, rows leave the overlap, line queries run.
  world_.Advance(absl::Minutes(50));
  DeliveryFilter dead_letters;
  dead_letters.dead_only = true;
  const auto dead_rows = world_.storage().outbox().ListRetries(dead_letters, DeliveryId(), 1000);
  for (const DeliveryDetails& dead : dead_rows.value()) {
    (void)world_.storage().outbox().Retry(dead.delivery.id, Actor(), world_.clock().Read());
  }
  world_.Advance(absl::Minutes(40));
}

}  // namespace poller::test
