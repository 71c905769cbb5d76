#include "core/model/event.h"

namespace poller {

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kConnectionCreated:
      return "connection_created";
    case EventType::kConnectionUpdated:
      return "connection_updated";
    case EventType::kConnectionDeleted:
      return "connection_deleted";
    case EventType::kConnectionPaused:
      return "connection_paused";
    case EventType::kConnectionResumed:
      return "connection_resumed";
    case EventType::kConnectionSuspended:
      return "connection_suspended";
    case EventType::kPollFailed:
      return "poll_failed";
    case EventType::kPollRecovered:
      return "poll_recovered";
    case EventType::kOrderFound:
      return "order_found";
    case EventType::kLateFind:
      return "late_find";
    case EventType::kDeliverySucceeded:
      return "delivery_succeeded";
    case EventType::kDeliveryFailed:
      return "delivery_failed";
    case EventType::kDeliverySuperseded:
      return "delivery_superseded";
    case EventType::kDeliveryWithdrawn:
      return "delivery_withdrawn";
    case EventType::kDeliveryDead:
      return "delivery_dead";
    case EventType::kDeliveryDiscarded:
      return "delivery_discarded";
    case EventType::kDeliveryRequeued:
      return "delivery_requeued";
    case EventType::kCircuitOpened:
      return "circuit_opened";
    case EventType::kCircuitHalfOpen:
      return "circuit_half_open";
    case EventType::kCircuitClosed:
      return "circuit_closed";
    case EventType::kReceiverGone:
      return "receiver_gone";
    case EventType::kCircuitReset:
      return "circuit_reset";
    case EventType::kJobChanged:
      return "job_changed";
    case EventType::kTokenChanged:
      return "token_changed";
    case EventType::kKeyRotated:
      return "key_rotated";
    case EventType::kBackupMade:
      return "backup_made";
    case EventType::kRestored:
      return "restored";
    case EventType::kDiskLow:
      return "disk_low";
    case EventType::kDiskRecovered:
      return "disk_recovered";
    case EventType::kKeyExpiring:
      return "key_expiring";
  }
  return "";
}

}  // namespace poller
