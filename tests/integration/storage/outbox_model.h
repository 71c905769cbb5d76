// The rules of revisions and deliveries in memory, written down once more and without SQL, to
// compare the store with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/storage/ingest_store.h"
#include "core/storage/outbox_store.h"

namespace poller {

struct ModelRevision {
  int revision = 0;
  std::string content;  // empty: unmappable
  std::string sent;     // the text of the webhook
  std::string reason;   // of an unmappable one
  OrderCondition condition = OrderCondition::kConfirmed;
  DeliveryStatus status = DeliveryStatus::kPending;
  DeliveryClass priority = DeliveryClass::kLive;
  bool was_baseline = false, reconfirmed = false, in_flight = false, forced = false, again = false;
  bool accepted = false, unknown = false;
  int base = 1, attempts = 0, spent = 0;
  std::optional<int> acceptances_seen;
  absl::Duration due;  // monotonic
  absl::Time due_wall = absl::InfinitePast();
  std::string event;       // fixed by the first claim
  std::string webhook_id;  // learnt from the first claim
  std::int64_t place = 0;  // order of creation
};

struct ModelOrder {
  std::vector<ModelRevision> revisions;
  std::string write_date;
  OrderCondition condition = OrderCondition::kConfirmed;
  absl::Time observed_at;
  int newest_started = 0;  // the highest revision that was ever claimed

  ModelRevision& newest() { return revisions.back(); }
};

class OutboxModel {
 public:
  void Observe(const Observation& seen, const IngestBatch& batch, const Instant& now);
  void Observe(const UnmappableOrder& seen, const IngestBatch& batch, const Instant& now);
  void Observe(const CancelledOrder& seen, const IngestBatch& batch);
  // What a claim must give, in its order.
  std::vector<std::pair<OrderId, int>> Claim(const Instant& now, int limit, bool forced_only);
  void Release(OrderId order, int revision, const Instant& now);
  void Accept(OrderId order, int revision);
  void Fail(OrderId order, int revision, const DeliveryOutcome& outcome, const Instant& now);
  void Retry(OrderId order, const Instant& now);
  void Discard(OrderId order);
  // The process ended: answers of all that was in flight are lost.
  void Restart(const Instant& now);

  std::int64_t Count(DeliveryStatus status) const;
  std::map<OrderId, ModelOrder>& orders() { return orders_; }

 private:
  ModelRevision& Add(OrderId id, ModelOrder& order, const IngestBatch& batch, const Instant& now);
  ModelRevision& Find(OrderId order, int revision);
  void Force(ModelRevision& revision, const Instant& now);
  void DeliverAgain(ModelRevision& revision, const IngestBatch& batch, const Instant& now);
  // True: a newer revision or a cancellation took its place.
  bool Overtaken(ModelOrder& order, ModelRevision& revision, bool requested);

  std::map<OrderId, ModelOrder> orders_;
  int acceptances_ = 0;
  std::int64_t places_ = 0;
};

}  // namespace poller
