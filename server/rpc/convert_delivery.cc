#include "server/rpc/convert_delivery.h"

#include "core/base/status.h"
#include "core/orders/payload.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

v1::OrderCondition ToProto(OrderCondition condition) {
  return condition == OrderCondition::kCancelled ? v1::ORDER_CONDITION_CANCELLED
                                                 : v1::ORDER_CONDITION_CONFIRMED;
}

// The name is fixed at the first claim. Until then: what it is called unless the receiver turns out
// to know the order.
std::string_view EventOf(const Delivery& delivery) {
  if (!delivery.event.empty()) return delivery.event;
  if (delivery.condition == OrderCondition::kCancelled) return kEventCancelled;
  return delivery.revision > 1 ? kEventUpdated : kEventConfirmed;
}

}  // namespace

v1::DeliveryStatus ToProto(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::kPending:
      return v1::DELIVERY_STATUS_PENDING;
    case DeliveryStatus::kDelivered:
      return v1::DELIVERY_STATUS_DELIVERED;
    case DeliveryStatus::kDead:
      return v1::DELIVERY_STATUS_DEAD;
    case DeliveryStatus::kSuperseded:
      return v1::DELIVERY_STATUS_SUPERSEDED;
    case DeliveryStatus::kDiscarded:
      return v1::DELIVERY_STATUS_DISCARDED;
    case DeliveryStatus::kWithdrawn:
      return v1::DELIVERY_STATUS_WITHDRAWN;
    case DeliveryStatus::kBaseline:
      return v1::DELIVERY_STATUS_BASELINE;
  }
  return v1::DELIVERY_STATUS_UNSPECIFIED;
}

v1::DeliveryAttempt ToProto(const DeliveryAttempt& attempt) {
  v1::DeliveryAttempt proto;
  proto.set_number(attempt.number);
  SetTime(proto, &v1::DeliveryAttempt::mutable_start_time, attempt.at);
  *proto.mutable_duration() = rpc::ToProto(attempt.duration);
  proto.set_http_status(attempt.http_status);
  proto.set_failure(attempt.failure);
  proto.set_error(attempt.error);
  return proto;
}

v1::Delivery ToProto(const DeliveryDetails& details) {
  const Delivery& delivery = details.delivery;
  v1::Delivery proto;
  proto.set_id(delivery.id.value());
  proto.set_connection_id(delivery.connection.value());
  proto.set_connection_name(details.connection_name);
  proto.set_order_id(delivery.order.value());
  proto.set_order_name(delivery.order_name);
  proto.set_revision(delivery.revision);
  proto.set_webhook_id(delivery.webhook_id);
  proto.set_event_name(delivery.event);
  proto.set_status(ToProto(delivery.status));
  proto.set_attempt_count(delivery.attempts);
  proto.set_in_flight(delivery.in_flight);
  SetTime(proto, &v1::Delivery::mutable_create_time, delivery.created_at);
  if (!details.attempts.empty())
    SetTime(proto, &v1::Delivery::mutable_last_attempt_time, details.attempts.back().at);
  if (delivery.status == DeliveryStatus::kPending) {
    SetTime(proto, &v1::Delivery::mutable_next_attempt_time, delivery.next_attempt_at);
  }
  proto.set_last_http_status(delivery.last_http_status);
  proto.set_last_error(delivery.last_error);
  proto.set_reason(delivery.reason);
  SetTime(proto, &v1::Delivery::mutable_write_time, OdooTime(delivery.write_date));
  SetTime(proto, &v1::Delivery::mutable_update_time, delivery.updated_at);
  return proto;
}

v1::Order ToProto(const OrderSummary& order) {
  v1::Order proto;
  proto.set_connection_id(order.connection.value());
  proto.set_connection_name(order.connection_name);
  proto.set_order_id(order.head.order.value());
  proto.set_name(order.head.name);
  proto.set_condition(ToProto(order.head.condition));
  SetTime(proto, &v1::Order::mutable_write_time, OdooTime(order.head.write_date));
  proto.set_revision(order.head.revision);
  proto.set_delivery_id(order.delivery.id.value());
  proto.set_status(ToProto(order.delivery.status));
  SetTime(proto, &v1::Order::mutable_update_time, order.delivery.updated_at);
  proto.set_last_error(order.delivery.last_error);
  return proto;
}

v1::OrderRevision RevisionToProto(const DeliveryDetails& details) {
  v1::OrderRevision proto;
  *proto.mutable_delivery() = ToProto(details);
  for (const DeliveryAttempt& attempt : details.attempts) *proto.add_attempts() = ToProto(attempt);
  return proto;
}

absl::StatusOr<CutText> BodyOf(const DeliveryDetails& details) {
  if (details.unmappable || details.content.empty()) return CutText();
  const Delivery& delivery = details.delivery;
  ASSIGN_OR_RETURN(const std::string body,
                   RenderBody(details.content, EventOf(delivery), details.webhook_connection_id,
                              delivery.revision));
  return CutPayload(body);
}

absl::StatusOr<v1::GetRetryResponse> RetryToProto(const DeliveryDetails& details) {
  v1::GetRetryResponse proto;
  *proto.mutable_delivery() = ToProto(details);
  for (const DeliveryAttempt& attempt : details.attempts) *proto.add_attempts() = ToProto(attempt);
  if (details.unmappable) {
    proto.set_raw_record(CutPayload(details.content).text);
    return proto;
  }
  ASSIGN_OR_RETURN(CutText body, BodyOf(details));
  proto.set_payload(std::move(body.text));
  proto.set_payload_truncated(body.truncated);
  proto.set_payload_size(body.size);
  return proto;
}

}  // namespace poller::rpc
