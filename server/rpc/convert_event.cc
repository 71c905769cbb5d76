#include "server/rpc/convert_event.h"

#include "core/model/job.h"
#include "server/rpc/convert_job.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

v1::ConnectionChange ConnectionChangeOf(const EventDetail& detail) {
  v1::ConnectionChange proto;
  proto.set_actor(detail.actor);
  proto.set_request_id(detail.request_id);
  proto.set_change(detail.change);
  proto.set_reason(detail.reason);
  proto.set_undelivered_count(detail.count);
  return proto;
}

v1::DeliveryOutcome DeliveryOutcomeOf(const EventDetail& detail) {
  v1::DeliveryOutcome proto;
  proto.set_delivery_id(detail.delivery.value());
  proto.set_revision(detail.revision);
  proto.set_webhook_id(detail.webhook_id);
  proto.set_event_name(detail.event);
  proto.set_attempt(detail.attempt);
  proto.set_http_status(detail.http_status);
  proto.set_failure(detail.failure);
  proto.set_error(detail.error);
  SetTime(proto, &v1::DeliveryOutcome::mutable_next_attempt_time,
          detail.next_attempt_at.value_or(absl::InfinitePast()));
  proto.set_reason(detail.reason);
  proto.set_actor(detail.actor);
  proto.set_request_id(detail.request_id);
  return proto;
}

v1::CircuitChange CircuitChangeOf(const EventDetail& detail) {
  v1::CircuitChange proto;
  if (detail.leg == "odoo") proto.set_leg(v1::CONNECTION_LEG_ODOO);
  if (detail.leg == "receiver") proto.set_leg(v1::CONNECTION_LEG_RECEIVER);
  SetTime(proto, &v1::CircuitChange::mutable_retry_time,
          detail.next_attempt_at.value_or(absl::InfinitePast()));
  proto.set_error(detail.error);
  proto.set_actor(detail.actor);
  proto.set_request_id(detail.request_id);
  return proto;
}

v1::JobChange JobChangeOf(const EventDetail& detail) {
  v1::JobChange proto;
  proto.set_job_id(detail.job.value());
  for (const JobKind kind : {JobKind::kBackfill, JobKind::kReconcile}) {
    if (detail.job_kind == JobKindName(kind)) proto.set_kind(ToProto(kind));
  }
  for (const JobState state : {JobState::kQueued, JobState::kRunning, JobState::kSucceeded,
                               JobState::kFailed, JobState::kCancelled}) {
    if (detail.job_state == JobStateName(state)) proto.set_state(ToProto(state));
  }
  proto.set_error(detail.error);
  proto.set_actor(detail.actor);
  proto.set_request_id(detail.request_id);
  return proto;
}

void FillDetail(const SyncEvent& event, v1::SyncEvent& proto) {
  const EventDetail& detail = event.detail;
  switch (event.type) {
    case EventType::kConnectionCreated:
    case EventType::kConnectionUpdated:
    case EventType::kConnectionDeleted:
    case EventType::kConnectionPaused:
    case EventType::kConnectionResumed:
    case EventType::kConnectionSuspended:
      *proto.mutable_connection_change() = ConnectionChangeOf(detail);
      return;
    case EventType::kPollFailed:
    case EventType::kPollRecovered:
      proto.mutable_poll_outcome()->set_failure(detail.failure);
      proto.mutable_poll_outcome()->set_error(detail.error);
      return;
    case EventType::kOrderFound:
    case EventType::kLateFind:
      proto.mutable_order_found()->set_revision(detail.revision);
      proto.mutable_order_found()->set_delivery_id(detail.delivery.value());
      proto.mutable_order_found()->set_webhook_id(detail.webhook_id);
      return;
    case EventType::kCircuitOpened:
    case EventType::kCircuitHalfOpen:
    case EventType::kCircuitClosed:
    case EventType::kReceiverGone:
    case EventType::kCircuitReset:
      *proto.mutable_circuit_change() = CircuitChangeOf(detail);
      return;
    case EventType::kTokenChanged:
    case EventType::kBackupMade:
    case EventType::kRestored:
    case EventType::kDiskLow:
    case EventType::kDiskRecovered:
      proto.mutable_server_act()->set_what(detail.change);
      proto.mutable_server_act()->set_actor(detail.actor);
      proto.mutable_server_act()->set_request_id(detail.request_id);
      return;
    case EventType::kKeyExpiring:
      SetTime(*proto.mutable_key_expiry(), &v1::KeyExpiry::mutable_expire_time,
              detail.expires_at.value_or(absl::InfinitePast()));
      return;
    case EventType::kJobChanged:
      *proto.mutable_job_change() = JobChangeOf(detail);
      return;
    default:
      if (CarriesPayload(event)) *proto.mutable_delivery_outcome() = DeliveryOutcomeOf(detail);
  }
}

}  // namespace

std::optional<EventType> FromProto(v1::EventType type) {
  if (type == v1::EVENT_TYPE_UNSPECIFIED || !v1::EventType_IsValid(type)) return std::nullopt;
  return static_cast<EventType>(type);
}

bool CarriesPayload(const SyncEvent& event) {
  switch (event.type) {
    case EventType::kDeliverySucceeded:
    case EventType::kDeliveryFailed:
    case EventType::kDeliverySuperseded:
    case EventType::kDeliveryWithdrawn:
    case EventType::kDeliveryDead:
    case EventType::kDeliveryDiscarded:
    case EventType::kDeliveryRequeued:
      return true;
    default:
      return false;
  }
}

v1::SyncEvent ToProto(const SyncEvent& event, const std::string& log_id) {
  v1::SyncEvent proto;
  proto.set_sequence(event.sequence.value());
  proto.set_log_id(log_id);
  SetTime(proto, &v1::SyncEvent::mutable_time, event.at);
  // proto3 enums are open: a type that this API does not name goes out as its number.
  proto.set_type(static_cast<v1::EventType>(static_cast<int>(event.type)));
  proto.set_connection_id(event.connection.value());
  proto.set_connection_name(event.connection_name);
  proto.set_order_id(event.order.value());
  proto.set_order_name(event.order_name);
  FillDetail(event, proto);
  return proto;
}

}  // namespace poller::rpc
