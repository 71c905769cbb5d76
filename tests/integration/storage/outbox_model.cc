#include "tests/integration/storage/outbox_model.h"

#include <algorithm>
#include <tuple>

namespace poller {
namespace {

bool Stale(const ModelOrder& order, const std::string& write_date, const IngestBatch& batch) {
  return write_date < order.write_date && batch.observed_at < order.observed_at + batch.overlap;
}

bool Open(const ModelRevision& revision) {
  return revision.status == DeliveryStatus::kPending || revision.status == DeliveryStatus::kDead;
}

}  // namespace

ModelRevision& OutboxModel::Find(OrderId order, int revision) {
  return orders_.at(order).revisions.at(static_cast<std::size_t>(revision - 1));
}

ModelRevision& OutboxModel::Add(OrderId, ModelOrder& order, const IngestBatch& batch,
                                const Instant& now) {
  ModelRevision next;
  next.place = ++places_;
  next.revision = static_cast<int>(order.revisions.size()) + 1;
  next.priority = batch.priority;
  next.due = now.mono;
  bool baseline = batch.mode == IngestMode::kBaseline;
  if (!order.revisions.empty()) {
    const ModelRevision& before = order.newest();
    baseline = baseline && before.status == DeliveryStatus::kBaseline;
    next.base = before.base;
    next.reconfirmed = before.reconfirmed;
    if (order.condition == OrderCondition::kCancelled) {
      next.base = next.revision;
      next.reconfirmed = true;
    }
  }
  if (baseline) {
    next.status = DeliveryStatus::kBaseline;
    next.was_baseline = true;
  }
  for (ModelRevision& older : order.revisions) {
    if (Open(older) && !older.in_flight) older.status = DeliveryStatus::kSuperseded;
  }
  order.observed_at = batch.observed_at;
  order.revisions.push_back(next);
  return order.newest();
}

void OutboxModel::Observe(const Observation& seen, const IngestBatch& batch, const Instant& now) {
  ModelOrder& order = orders_[seen.order];
  if (!order.revisions.empty()) {
    if (Stale(order, seen.write_date, batch)) return;
    const bool equal = order.condition == OrderCondition::kConfirmed &&
                       order.newest().content == seen.content_hash;
    const bool touch = batch.mode == IngestMode::kDeliver && batch.send_every_touch &&
                       seen.write_date != order.write_date;
    if (equal && !touch) {
      order.write_date = seen.write_date;
      order.observed_at = std::max(order.observed_at, batch.observed_at);
      if (batch.mode == IngestMode::kResend) DeliverAgain(order.newest(), batch, now);
      return;
    }
  }
  ModelRevision& next = Add(seen.order, order, batch, now);
  next.content = seen.content_hash;
  next.sent = seen.content;
  order.write_date = seen.write_date;
  order.condition = OrderCondition::kConfirmed;
}

void OutboxModel::Observe(const UnmappableOrder& seen, const IngestBatch& batch,
                          const Instant& now) {
  ModelOrder& order = orders_[seen.order];
  if (!order.revisions.empty()) {
    if (Stale(order, seen.write_date, batch)) return;
    const ModelRevision& newest = order.newest();
    if (newest.content.empty() && order.condition == OrderCondition::kConfirmed &&
        order.write_date == seen.write_date && newest.reason == seen.reason) {
      return;
    }
  }
  ModelRevision& next = Add(seen.order, order, batch, now);
  next.reason = seen.reason;
  if (!next.was_baseline) next.status = DeliveryStatus::kDead;
  order.write_date = seen.write_date;
  order.condition = OrderCondition::kConfirmed;
}

void OutboxModel::Observe(const CancelledOrder& seen, const IngestBatch& batch) {
  const auto found = orders_.find(seen.order);
  if (found == orders_.end() || found->second.revisions.empty()) return;
  ModelOrder& order = found->second;
  if (Stale(order, seen.write_date, batch)) return;
  order.write_date = seen.write_date;
  if (order.condition == OrderCondition::kCancelled) {
    order.observed_at = std::max(order.observed_at, batch.observed_at);
    return;
  }
  bool known = false;
  const ModelRevision* last = nullptr;
  for (const ModelRevision& revision : order.revisions) {
    known = known || revision.attempts > 0 || revision.in_flight || revision.was_baseline;
    if (!revision.content.empty()) last = &revision;
  }
  if (batch.send_cancelled && known && last != nullptr) {
    const std::string content = order.newest().content;
    const std::string sent = last->sent;
    ModelRevision& next = Add(seen.order, order, batch, Instant());
    next.status = DeliveryStatus::kPending;
    next.was_baseline = false;
    next.condition = OrderCondition::kCancelled;
    // An unmappable newest revision says nothing of the content that is repeated.
    next.content = content.empty() ? "repeated" : content;
    next.sent = sent;
  } else {
    for (ModelRevision& revision : order.revisions) {
      if (!Open(revision) || revision.in_flight) continue;
      revision.status =
          revision.attempts == 0 ? DeliveryStatus::kSuperseded : DeliveryStatus::kWithdrawn;
    }
    order.observed_at = std::max(order.observed_at, batch.observed_at);
  }
  order.condition = OrderCondition::kCancelled;
}

void OutboxModel::Force(ModelRevision& revision, const Instant& now) {
  if (revision.in_flight) {
    revision.again = true;
    return;
  }
  if (revision.status != DeliveryStatus::kPending) revision.spent = 0;
  revision.status = DeliveryStatus::kPending;
  revision.forced = true;
  revision.due = now.mono;
  revision.due_wall = absl::InfinitePast();
}

void OutboxModel::DeliverAgain(ModelRevision& revision, const IngestBatch& batch,
                               const Instant& now) {
  if (batch.priority == DeliveryClass::kLive) return Force(revision, now);
  if (revision.in_flight) return;
  const bool forced = revision.forced && revision.status == DeliveryStatus::kPending;
  if (revision.status == DeliveryStatus::kBaseline) revision.priority = batch.priority;
  Force(revision, now);
  revision.forced = forced;
}

void OutboxModel::Retry(OrderId order, const Instant& now) {
  Force(orders_.at(order).newest(), now);
}
void OutboxModel::Discard(OrderId order) {
  orders_.at(order).newest().status = DeliveryStatus::kDiscarded;
  orders_.at(order).newest().forced = false;
}

std::vector<std::pair<OrderId, int>> OutboxModel::Claim(const Instant& now, int limit,
                                                        bool forced_only) {
  using Key = std::tuple<bool, DeliveryClass, int, std::int64_t>;
  std::vector<std::pair<Key, std::pair<OrderId, int>>> due;
  for (auto& [id, order] : orders_) {
    const bool blocked = std::any_of(order.revisions.begin(), order.revisions.end(),
                                     [](const ModelRevision& r) { return r.in_flight; });
    for (const ModelRevision& revision : order.revisions) {
      if (blocked || revision.status != DeliveryStatus::kPending) continue;
      if (forced_only ? !revision.forced : revision.due > now.mono) continue;
      due.push_back({{!revision.forced, revision.priority, revision.attempts, revision.place},
                     {id, revision.revision}});
    }
  }
  std::sort(due.begin(), due.end());
  if (due.size() > static_cast<std::size_t>(limit)) due.resize(static_cast<std::size_t>(limit));
  std::vector<std::pair<OrderId, int>> claims;
  for (const auto& [key, claim] : due) {
    ModelOrder& order = orders_.at(claim.first);
    ModelRevision& revision = Find(claim.first, claim.second);
    revision.in_flight = true;
    if (revision.event.empty()) {
      bool update = revision.was_baseline;
      for (const ModelRevision& older : order.revisions) {
        if (older.revision < revision.base || older.revision >= revision.revision) continue;
        update = update || older.accepted || older.unknown || older.was_baseline;
      }
      revision.event = update ? "order.updated" : "order.confirmed";
      if (revision.condition == OrderCondition::kCancelled) revision.event = "order.cancelled";
    }
    claims.push_back(claim);
  }
  return claims;
}

bool OutboxModel::Overtaken(ModelOrder& order, ModelRevision& revision, bool requested) {
  if (&revision != &order.newest()) {
    revision.status = DeliveryStatus::kSuperseded;
    return true;
  }
  if (order.condition == OrderCondition::kCancelled &&
      revision.condition == OrderCondition::kConfirmed) {
    revision.status = requested ? DeliveryStatus::kWithdrawn : DeliveryStatus::kSuperseded;
    return true;
  }
  return false;
}

void OutboxModel::Release(OrderId order, int number, const Instant& now) {
  ModelRevision& revision = Find(order, number);
  revision.in_flight = false;
  revision.due = now.mono;
  revision.forced = revision.forced || revision.again;
  revision.again = false;
  Overtaken(orders_.at(order), revision, revision.attempts > 0);
}

void OutboxModel::Accept(OrderId order, int number) {
  ModelRevision& revision = Find(order, number);
  revision.in_flight = revision.forced = revision.again = false;
  ++revision.attempts;
  revision.accepted = true;
  revision.acceptances_seen = ++acceptances_;
  revision.status = DeliveryStatus::kDelivered;
}

void OutboxModel::Fail(OrderId order, int number, const DeliveryOutcome& outcome,
                       const Instant& now) {
  ModelRevision& revision = Find(order, number);
  revision.in_flight = false;
  ++revision.attempts;
  if (outcome.attempt.http_status == 0 && outcome.attempt.failure != "connect") {
    revision.unknown = true;
  }
  const bool blamed = outcome.may_blame_order && revision.acceptances_seen &&
                      acceptances_ > *revision.acceptances_seen;
  if (blamed) ++revision.spent;
  revision.acceptances_seen = acceptances_;
  const absl::Duration wait = revision.again ? absl::ZeroDuration() : outcome.retry_after;
  revision.forced = revision.again;
  revision.again = false;
  revision.due = now.mono + wait;
  revision.due_wall = wait == absl::ZeroDuration() ? absl::InfinitePast() : now.wall + wait;
  if (Overtaken(orders_.at(order), revision, true)) return;
  if (blamed && revision.spent >= outcome.max_attempts) revision.status = DeliveryStatus::kDead;
}

void OutboxModel::Restart(const Instant& now) {
  for (auto& [id, order] : orders_) {
    for (ModelRevision& revision : order.revisions) {
      if (revision.in_flight) {
        DeliveryOutcome lost;
        lost.attempt.failure = "interrupted";
        Fail(id, revision.revision, lost, now);
      } else if (revision.due_wall != absl::InfinitePast() && !revision.forced) {
        revision.due = now.mono + std::clamp(revision.due_wall - now.wall, absl::ZeroDuration(),
                                             absl::Hours(1));
      }
    }
  }
}

std::int64_t OutboxModel::Count(DeliveryStatus status) const {
  std::int64_t count = 0;
  for (const auto& [id, order] : orders_) {
    for (const ModelRevision& revision : order.revisions) count += revision.status == status;
  }
  return count;
}

}  // namespace poller
