// Many deliveries retried at once.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/model/delivery.h"
#include "core/model/event.h"
#include "core/storage/outbox_store.h"

namespace poller {

// A dead letter whose record could not be mapped: its order has to be read from Odoo again.
struct UnmappableDelivery {
  DeliveryId id;
  ConnectionId connection;
  OrderId order;
};

struct RetryStep {
  DeliveryId last;   // where the next step goes on
  bool done = true;  // there is no next step
  int retried = 0;   // due now
  int skipped = 0;   // in flight, or not the newest revision of its order
  std::vector<UnmappableDelivery> unmappable = {};  // neither: ask for a resend of these
  std::vector<ConnectionId> connections = {};       // that have something due now, each once
};

// Thread-safe. Blocking: call through Offload. kUnavailable everywhere: busy or disk full, safe to
// repeat.
class RetryStore {
 public:
  virtual ~RetryStore() = default;
  // How many deliveries of the retry queue RetryMany would not skip. Reads an index alone.
  virtual absl::StatusOr<std::int64_t> Count(const DeliveryFilter& filter) = 0;
  // Makes up to `limit` deliveries of the retry queue due at once, those with ids greater than
  // `after`, by rising id, in one transaction. Unlike OutboxStore::Retry it does not push them past
  // the breaker: a thousand at once would be no probe. A dead one becomes pending and its spent
  // failures are forgotten. Repeating a step changes nothing.
  virtual absl::StatusOr<RetryStep> RetryMany(const DeliveryFilter& filter, DeliveryId after,
                                              int limit, const Actor& actor,
                                              const Instant& now) = 0;
};

}  // namespace poller
