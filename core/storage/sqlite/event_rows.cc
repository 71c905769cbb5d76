#include "core/storage/sqlite/event_rows.h"

#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

#include "core/base/status.h"

namespace poller {
namespace {

namespace json = boost::json;

void Put(json::object& out, std::string_view key, const std::string& value) {
  if (!value.empty()) out[key] = value;
}
void Put(json::object& out, std::string_view key, std::int64_t value) {
  if (value != 0) out[key] = value;
}

std::string TextOf(const json::object& in, std::string_view key) {
  const json::value* const value = in.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}
std::int64_t NumberOf(const json::object& in, std::string_view key) {
  const json::value* const value = in.if_contains(key);
  if (value == nullptr || !value->is_int64()) return 0;
  return value->get_int64();
}

}  // namespace

std::string EncodeDetail(const EventDetail& detail) {
  json::object out;
  Put(out, "delivery", detail.delivery.value());
  Put(out, "revision", detail.revision);
  Put(out, "webhook_id", detail.webhook_id);
  Put(out, "event", detail.event);
  Put(out, "attempt", detail.attempt);
  Put(out, "http_status", detail.http_status);
  Put(out, "failure", detail.failure);
  Put(out, "error", detail.error);
  if (detail.next_attempt_at) out["next_attempt_at"] = absl::ToUnixMicros(*detail.next_attempt_at);
  if (detail.expires_at) out["expires_at"] = absl::ToUnixMicros(*detail.expires_at);
  Put(out, "count", detail.count);
  Put(out, "reason", detail.reason);
  Put(out, "actor", detail.actor);
  Put(out, "request_id", detail.request_id);
  Put(out, "leg", detail.leg);
  Put(out, "change", detail.change);
  Put(out, "job", detail.job.value());
  Put(out, "job_kind", detail.job_kind);
  Put(out, "job_state", detail.job_state);
  return json::serialize(out);
}

absl::StatusOr<EventDetail> DecodeDetail(const std::string& text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return absl::DataLossError("the detail of an event is damaged");
  const json::object& in = value.get_object();
  EventDetail detail;
  detail.delivery = DeliveryId(NumberOf(in, "delivery"));
  detail.revision = static_cast<int>(NumberOf(in, "revision"));
  detail.webhook_id = TextOf(in, "webhook_id");
  detail.event = TextOf(in, "event");
  detail.attempt = static_cast<int>(NumberOf(in, "attempt"));
  detail.http_status = static_cast<int>(NumberOf(in, "http_status"));
  detail.failure = TextOf(in, "failure");
  detail.error = TextOf(in, "error");
  if (in.contains("next_attempt_at")) {
    detail.next_attempt_at = absl::FromUnixMicros(NumberOf(in, "next_attempt_at"));
  }
  if (in.contains("expires_at")) {
    detail.expires_at = absl::FromUnixMicros(NumberOf(in, "expires_at"));
  }
  detail.count = NumberOf(in, "count");
  detail.reason = TextOf(in, "reason");
  detail.actor = TextOf(in, "actor");
  detail.request_id = TextOf(in, "request_id");
  detail.leg = TextOf(in, "leg");
  detail.change = TextOf(in, "change");
  detail.job = JobId(NumberOf(in, "job"));
  detail.job_kind = TextOf(in, "job_kind");
  detail.job_state = TextOf(in, "job_state");
  return detail;
}

absl::StatusOr<EventSequence> AppendEvent(Transaction& transaction, const SyncEvent& event) {
  RETURN_IF_ERROR(transaction.db.Exec(
      "INSERT INTO event(at, type, connection_id, connection_name, order_id, order_name, detail) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      absl::ToUnixMicros(event.at), static_cast<int>(event.type), event.connection,
      event.connection_name, event.order, event.order_name, EncodeDetail(event.detail)));
  transaction.wrote_events = true;
  return EventSequence(transaction.db.last_insert_id());
}

absl::StatusOr<SyncEvent> ReadEvent(const Query& row) {
  SyncEvent event;
  event.sequence = row.As<EventSequence>(0);
  event.at = absl::FromUnixMicros(row.Int(1));
  event.type = static_cast<EventType>(row.Int(2));
  event.connection = row.As<ConnectionId>(3);
  event.connection_name = row.Text(4);
  event.order = row.As<OrderId>(5);
  event.order_name = row.Text(6);
  ASSIGN_OR_RETURN(event.detail, DecodeDetail(row.Text(7)));
  return event;
}

}  // namespace poller
