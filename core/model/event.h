// What happened, as subscribers of the event stream see it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/model/connection.h"
#include "core/model/ids.h"

namespace poller {

// The numbers are stored: never change or reuse one.
enum class EventType {
  kConnectionCreated = 1,
  kConnectionUpdated = 2,
  kConnectionDeleted = 3,
  kConnectionPaused = 4,
  kConnectionResumed = 5,
  kConnectionSuspended = 6,
  kPollFailed = 10,
  kPollRecovered = 11,
  kOrderFound = 12,  // a revision was recorded
  kLateFind = 13,    // the sweep found what the polls had missed
  kDeliverySucceeded = 20,
  kDeliveryFailed = 21,
  kDeliverySuperseded = 22,
  kDeliveryWithdrawn = 23,
  kDeliveryDead = 24,
  kDeliveryDiscarded = 25,
  kDeliveryRequeued = 26,  // an operator retried or resent it
  kCircuitOpened = 30,
  kCircuitHalfOpen = 31,
  kCircuitClosed = 32,
  kReceiverGone = 33,
  kCircuitReset = 34,  // an operator closed the breakers and ended a suspension
  kJobChanged = 40,
  kTokenChanged = 41,
  kKeyRotated = 42,
  kBackupMade = 43,
  kRestored = 44,
  kDiskLow = 45,
  kDiskRecovered = 46,
  kKeyExpiring = 47,  // an Odoo API key ends soon
};
// "order_found", ...; empty for an unknown number.
std::string_view EventTypeName(EventType type);

// What an event says beside its type. Fields that do not belong to the type stay empty. No secret,
// no payload.
struct EventDetail {
  DeliveryId delivery;
  int revision = 0;
  std::string webhook_id;
  std::string event;  // order.confirmed, order.updated, order.cancelled
  int attempt = 0;
  int http_status = 0;
  std::string failure;  // class of a failure: "timeout", "refused", ...
  std::string error;    // safe to show
  std::optional<absl::Time> next_attempt_at;
  std::int64_t count = 0;  // orders, deliveries
  std::string reason;      // a stable word
  std::string actor;       // the token's name, for what a person or program asked for
  std::string request_id;
  std::string leg;                       // "odoo", "receiver"
  std::string change;                    // what was done or changed: field names of an update
  std::optional<absl::Time> expires_at;  // kKeyExpiring
  JobId job;
  std::string job_kind;   // JobKindName
  std::string job_state;  // JobStateName: what it became
};

struct SyncEvent {
  EventSequence sequence;  // 0 until stored
  absl::Time at;
  EventType type = EventType::kOrderFound;
  ConnectionId connection;  // 0: none
  std::string connection_name;
  OrderId order;  // 0: none
  std::string order_name;
  EventDetail detail;
};

// The oldest and newest sequence that can be read. Empty log: oldest = newest + 1.
struct EventRange {
  std::string log_id;
  EventSequence oldest;
  EventSequence newest;
};

// Who asked for a change, for the events that record it.
struct Actor {
  std::string token_name;
  std::string request_id;
  std::string request_digest = {};  // of the whole request, to tell a repeat from another one
  // Whose request ids these are: a name may be given again. 0: the service's own.
  TokenId token = TokenId();
};

}  // namespace poller
