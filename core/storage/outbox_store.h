// What we still owe to receivers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/model/delivery.h"
#include "core/model/event.h"

namespace poller {

struct ClaimedDelivery {
  DeliveryId id;
  ConnectionId connection;
  OrderId order;
  std::string order_name;
  int revision = 0;
  std::string webhook_id;
  std::string event;                  // fixed by this claim if it is the first
  std::string content;                // see Observation::content
  std::string webhook_connection_id;  // fixed by the first claim, with the event
  int attempt = 0;                    // number of the request that the claim is for, from 1
  int spent = 0;
  bool forced = false;  // an operator asked for it now: past breaker and backoff
};

// How an attempt ended.
struct DeliveryOutcome {
  enum class Kind {
    kAccepted,  // a 2xx
    kFailed,    // an attempt was made and it is not accepted
    kReleased,  // no request was made: the claim is given back, nothing is counted
  };
  DeliveryId id;
  Kind kind = Kind::kReleased;
  DeliveryAttempt attempt;
  // kFailed: an answer about this order (4xx, 5xx) that may count against it. It does only if the
  // receiver accepted another order of this connection since this order's previous attempt; then,
  // at `max_attempts` spent, it is dead.
  bool may_blame_order = false;
  int max_attempts = 5;
  absl::Duration retry_after;  // kFailed: wait before the next attempt, on the monotonic clock
};

struct Resolution {
  DeliveryStatus status = DeliveryStatus::kPending;
  bool blamed_order = false;  // the failure was counted against the order
  int spent = 0;
};

struct DeliveryFilter {
  std::optional<ConnectionId> connection = std::nullopt;
  bool dead_only = false;
};

struct DeliveryDetails {
  Delivery delivery;
  std::string connection_name;
  std::string
      content;  // as Observation::content; a dead letter's raw record if it could not be mapped
  std::string webhook_connection_id;  // as fixed, or as it would be now
  bool unmappable = false;
  std::vector<DeliveryAttempt> attempts;  // oldest first; the newest 100
};

// Thread-safe. Blocking: call through Offload. kUnavailable everywhere: busy or disk full, safe to
// repeat.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  // Claims up to `limit` deliveries of `connection` that are due: live before history, then fewest
  // attempts, then oldest; at most one an order, and none of an order that has one in flight. With
  // `forced_only`, those alone that an operator asked for. A claim ends with Resolve, or with this
  // run of the process. Empty: nothing is due, or the connection is held after a restore.
  virtual absl::StatusOr<std::vector<ClaimedDelivery>> Claim(ConnectionId connection,
                                                             const Instant& now, int limit,
                                                             bool forced_only) = 0;
  // Ends a claim, with its event. kNotFound: not claimed by this process (or deleted meanwhile).
  virtual absl::StatusOr<Resolution> Resolve(const DeliveryOutcome& outcome,
                                             const Instant& now) = 0;
  // Time until the next delivery of `connection` that is not in flight becomes due; zero: now;
  // InfiniteDuration: none waits, or the connection is held.
  virtual absl::StatusOr<absl::Duration> NextDue(ConnectionId connection, const Instant& now) = 0;

  // The retry queue: pending with a failed attempt, plus dead. Newest id first, ids smaller than
  // `before` (0: all).
  virtual absl::StatusOr<std::vector<DeliveryDetails>> ListRetries(
      const DeliveryFilter& filter, DeliveryId before,
      int limit) = 0;  // without content and attempts
  // Any delivery. kNotFound.
  virtual absl::StatusOr<DeliveryDetails> Get(DeliveryId id) = 0;
  // One attempt as soon as possible, past breaker and backoff. kNotFound; kFailedPrecondition
  // (reason NOT_NEWEST_REVISION, NOT_RETRYABLE or IN_FLIGHT) says why not. An unmappable dead
  // letter is read again by the polling side: the call answers kFailedPrecondition (reason
  // UNMAPPABLE), and the caller asks for a resend.
  virtual absl::StatusOr<Delivery> Retry(DeliveryId id, const Actor& actor, const Instant& now) = 0;
  // kNotFound; kFailedPrecondition: not pending or dead, or in flight.
  virtual absl::StatusOr<Delivery> Discard(DeliveryId id, const std::string& why,
                                           const Actor& actor, absl::Time now) = 0;
};

struct OrderSummary {
  ConnectionId connection;
  std::string connection_name;
  OrderHead head;
  Delivery delivery;  // of the newest revision
};

struct OrderDetails {
  OrderSummary summary;
  std::vector<DeliveryDetails> revisions;  // newest first; without content
};

// Orders as the operator asks for them. Same rules as OutboxStore.
class OrderStore {
 public:
  virtual ~OrderStore() = default;
  // Heads, last changed first. `before`: the delivery id that ended the page before (0: the first
  // page).
  virtual absl::StatusOr<std::vector<OrderSummary>> ListOrders(
      std::optional<ConnectionId> connection, const std::string& name_prefix, DeliveryId before,
      int limit) = 0;
  // kNotFound. By id, or by name when `order` is 0 (the newest of that name).
  virtual absl::StatusOr<OrderDetails> GetOrder(ConnectionId connection, OrderId order,
                                                const std::string& name) = 0;
};

}  // namespace poller
