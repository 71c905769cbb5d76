#include "core/storage/ingest_decision.h"

#include <algorithm>
#include <utility>

namespace poller {
namespace {

using Outcome = IngestDecision::Outcome;

// Odoo's times compare as text. An observation with an older write_date than the head's comes from
// a replica that lags, or from a read that was overtaken; but if Odoo still says so one overlap
// later, it is the truth (its database was restored).
bool IsStale(const OrderHead& head, const std::string& write_date, const IngestBatch& batch) {
  return write_date < head.write_date && batch.observed_at < head.observed_at + batch.overlap;
}

// Baseline is for orders that nobody is owed. One that is tracked stays so when the first pass is
// repeated after a crash.
bool IsBaseline(const OrderHistory& history, const IngestBatch& batch) {
  return batch.mode == IngestMode::kBaseline &&
         (!history.head || history.head->status == DeliveryStatus::kBaseline);
}

// Somebody wants to hear of orders that were only recorded until now.
bool AsksForBaseline(const OrderHead& head, const IngestBatch& batch) {
  return head.status == DeliveryStatus::kBaseline &&
         (batch.mode == IngestMode::kResend || batch.mode == IngestMode::kBackfill);
}

NewRevision NextRevision(const OrderHistory& history, const IngestBatch& batch) {
  NewRevision next;
  next.revision = std::max(history.last_revision + 1, history.revision_floor);
  next.status = IsBaseline(history, batch) ? DeliveryStatus::kBaseline : DeliveryStatus::kPending;
  if (history.head) {
    next.order_name = history.head->name;
    next.reconfirmed = history.reconfirmed;
    next.base = history.base;
    if (history.head->condition == OrderCondition::kCancelled) {
      next.reconfirmed = true;
      next.base = next.revision;
    }
  }
  return next;
}

OrderHead HeadOf(const OrderHistory& history, OrderId order, const NewRevision& next,
                 const IngestBatch& batch) {
  OrderHead head = history.head.value_or(OrderHead());
  head.order = order;
  head.name = next.order_name;
  head.revision = next.revision;
  head.content_hash = next.content_hash;
  head.write_date = next.write_date;
  head.condition = next.condition;
  head.observed_at = batch.observed_at;
  head.delivery = DeliveryId();
  head.status = next.status;
  return head;
}

std::vector<DeliveryId> NotInFlight(const OrderHistory& history) {
  std::vector<DeliveryId> ids;
  for (const OpenRevision& open : history.open) {
    if (!open.in_flight) ids.push_back(open.id);
  }
  return ids;
}

IngestDecision Record(const OrderHistory& history, OrderId order, NewRevision next, Outcome outcome,
                      const IngestBatch& batch) {
  IngestDecision decision;
  decision.outcome = outcome;
  decision.supersede = NotInFlight(history);
  decision.head = HeadOf(history, order, next, batch);
  decision.revision = std::move(next);
  return decision;
}

// The backup that was restored ends with the head, and Odoo wrote later. What it wrote may have
// been told to the receiver and then taken back: what Odoo says now takes a number above that.
bool MayHaveBeenTakenBack(const OrderHistory& history, const std::string& write_date,
                          const std::string& line_write_date) {
  return history.held &&
         (write_date > history.head->write_date || line_write_date > history.head->line_write_date);
}

// The same content was seen again.
OrderHead Touched(const OrderHead& head, const std::string& write_date, bool young,
                  const IngestBatch& batch) {
  OrderHead touched = head;
  touched.write_date = write_date;
  touched.young = young;
  touched.observed_at = std::max(head.observed_at, batch.observed_at);
  return touched;
}

IngestDecision Adopt(const OrderHead& head, const Observation& order, const IngestBatch& batch) {
  IngestDecision decision;
  decision.outcome = Outcome::kUnchanged;
  decision.adopt = head.delivery;
  decision.head = Touched(head, order.write_date, order.young, batch);
  decision.head->content_hash = order.content_hash;
  decision.head->line_write_date = order.line_write_date;
  decision.head->line_stamps = order.line_stamps;
  return decision;
}

}  // namespace

bool IsAsImported(const OrderHead& head, const std::string& write_date,
                  const std::string& line_write_date) {
  if (!head.imported || head.status == DeliveryStatus::kPending) return false;
  if (head.condition == OrderCondition::kCancelled || line_write_date > head.line_write_date)
    return false;
  // When it was written is known for sure of what was delivered alone.
  return head.status == DeliveryStatus::kDelivered ? write_date == head.write_date
                                                   : write_date <= head.write_date;
}

IngestDecision Decide(const OrderHistory& history, const Observation& order,
                      const IngestBatch& batch) {
  const bool cancelled = order.condition == OrderCondition::kCancelled;
  if (cancelled && (history.head || !history.held || !batch.send_cancelled)) return {};
  if (history.head) {
    const OrderHead& head = *history.head;
    if (IsStale(head, order.write_date, batch)) return {.outcome = Outcome::kStale};
    if (IsAsImported(head, order.write_date, order.line_write_date) &&
        batch.mode != IngestMode::kResend) {
      return Adopt(head, order, batch);
    }
    const bool equal = head.condition == OrderCondition::kConfirmed && !head.content_hash.empty() &&
                       !history.damaged && head.content_hash == order.content_hash;
    const bool touch = batch.mode == IngestMode::kDeliver && batch.send_every_touch &&
                       order.write_date != head.write_date;
    const bool taken_back = MayHaveBeenTakenBack(history, order.write_date, order.line_write_date);
    if (equal && !touch && !taken_back) {
      IngestDecision decision;
      decision.head = Touched(head, order.write_date, order.young, batch);
      decision.head->line_write_date = std::max(head.line_write_date, order.line_write_date);
      decision.head->line_stamps = order.line_stamps;
      decision.outcome = Outcome::kUnchanged;
      if (batch.mode == IngestMode::kResend || AsksForBaseline(head, batch)) {
        decision.outcome = Outcome::kRequeued;
        decision.requeue = head.delivery;
      }
      return decision;
    }
  }
  NewRevision next = NextRevision(history, batch);
  next.content = NewRevision::Content::kObserved;
  next.order_name = order.name;
  next.content_hash = order.content_hash;
  next.write_date = order.write_date;
  next.confirmed_before_start = order.confirmed_before_start;
  next.condition = order.condition;
  const Outcome outcome = cancelled ? Outcome::kCancelled : Outcome::kRecorded;
  IngestDecision decision = Record(history, order.order, std::move(next), outcome, batch);
  decision.head->line_write_date = order.line_write_date;
  decision.head->line_stamps = order.line_stamps;
  decision.head->young = order.young;
  return decision;
}

IngestDecision Decide(const OrderHistory& history, const UnmappableOrder& order,
                      const IngestBatch& batch) {
  if (history.head) {
    const OrderHead& head = *history.head;
    if (IsStale(head, order.write_date, batch)) return {.outcome = Outcome::kStale};
    if (IsAsImported(head, order.write_date, order.line_write_date) &&
        batch.mode != IngestMode::kResend)
      return {.outcome = Outcome::kUnchanged};
    if (history.unmappable && head.condition == OrderCondition::kConfirmed &&
        !AsksForBaseline(head, batch) && head.write_date == order.write_date &&
        history.unmappable_reason == order.reason) {
      return {.outcome = Outcome::kUnchanged};
    }
  }
  NewRevision next = NextRevision(history, batch);
  next.content = NewRevision::Content::kRawRecord;
  if (!order.name.empty()) next.order_name = order.name;
  next.write_date = order.write_date;
  next.error = order.reason;
  next.reason = "unmappable";
  Outcome outcome = Outcome::kRecorded;
  if (next.status != DeliveryStatus::kBaseline) {
    next.status = DeliveryStatus::kDead;
    outcome = Outcome::kDead;
  }
  IngestDecision decision = Record(history, order.order, std::move(next), outcome, batch);
  // What was read of it says nothing of its lines: the next line edit is to be looked at.
  decision.head->line_write_date.clear();
  decision.head->line_stamps.clear();
  decision.head->young = false;
  return decision;
}

IngestDecision Decide(const OrderHistory& history, const CancelledOrder& order,
                      const IngestBatch& batch) {
  if (!history.head) return {.outcome = Outcome::kIgnored};
  const OrderHead& head = *history.head;
  const bool gone = order.write_date.empty();
  if (!gone && IsStale(head, order.write_date, batch)) return {.outcome = Outcome::kStale};

  OrderHead seen = Touched(head, gone ? head.write_date : order.write_date, order.young, batch);
  if (head.condition == OrderCondition::kCancelled &&
      !MayHaveBeenTakenBack(history, order.write_date, std::string())) {
    return {.outcome = Outcome::kUnchanged, .head = std::move(seen)};
  }
  const bool known = history.attempted || (history.was_baseline && !IsBaseline(history, batch));
  if (batch.send_cancelled && known && history.has_content) {
    NewRevision next = NextRevision(history, batch);
    next.status = DeliveryStatus::kPending;
    next.condition = OrderCondition::kCancelled;
    next.content = NewRevision::Content::kLastRecorded;
    next.content_hash = head.content_hash;
    next.write_date = seen.write_date;
    IngestDecision decision =
        Record(history, head.order, std::move(next), Outcome::kCancelled, batch);
    decision.head->young = order.young;
    return decision;
  }
  seen.condition = OrderCondition::kCancelled;
  IngestDecision decision{
      .outcome = history.open.empty() ? Outcome::kUnchanged : Outcome::kCancelled,
      .head = std::move(seen)};
  for (const OpenRevision& open : history.open) {
    if (open.in_flight) continue;  // its outcome decides
    if (open.attempts == 0) {
      decision.supersede.push_back(open.id);
    } else {
      decision.withdraw = open.id;
    }
  }
  return decision;
}

std::string_view FirstClaimEvent(OrderCondition condition, bool receiver_may_know, bool reconfirmed,
                                 bool confirmed_before_start) {
  if (condition == OrderCondition::kCancelled) return kEventCancelled;
  const bool update = receiver_may_know || (confirmed_before_start && !reconfirmed);
  return update ? kEventUpdated : kEventConfirmed;
}

}  // namespace poller
