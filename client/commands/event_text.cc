#include "client/commands/event_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/commands/job_view.h"
#include "client/convert.h"
#include "client/output/text.h"

namespace poller::client {
namespace {

constexpr std::string_view kPrefix = "EVENT_TYPE_";

// Joins what is not empty with commas.
class Parts {
 public:
  void Add(const std::string& part) {
    if (part.empty()) return;
    if (!text_.empty()) text_ += ", ";
    text_ += part;
  }
  void Labelled(std::string_view label, const std::string& value) {
    if (!value.empty()) Add(fmt::format("{} {}", label, value));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string Revision(std::int64_t revision) {
  return revision > 0 ? fmt::format("r{}", revision) : "";
}

void Describe(const api::DeliveryOutcome& outcome, absl::Time now, Parts& parts) {
  parts.Add(Revision(outcome.revision()));
  parts.Add(outcome.event_name());
  if (outcome.http_status() != 0) parts.Add(fmt::format("HTTP {}", outcome.http_status()));
  if (outcome.attempt() > 0) parts.Add(fmt::format("attempt {}", outcome.attempt()));
  parts.Add(outcome.error().empty() ? outcome.failure() : outcome.error());
  parts.Add(outcome.reason());
  if (outcome.has_next_attempt_time()) {
    parts.Add(
        fmt::format("next attempt {}", RelativeTime(ToTime(outcome.next_attempt_time()), now)));
  }
  parts.Labelled("by", outcome.actor());
  if (outcome.delivery_id() != 0) parts.Add(fmt::format("delivery {}", outcome.delivery_id()));
}

void Describe(const api::ConnectionChange& change, Parts& parts) {
  parts.Add(change.change());
  parts.Add(change.reason());
  if (change.undelivered_count() > 0)
    parts.Add(fmt::format("{} undelivered", change.undelivered_count()));
  parts.Labelled("by", change.actor());
}

void Describe(const api::CircuitChange& change, absl::Time now, Parts& parts) {
  if (change.leg() == api::CONNECTION_LEG_ODOO) parts.Add("towards Odoo");
  if (change.leg() == api::CONNECTION_LEG_RECEIVER) parts.Add("towards the receiver");
  parts.Add(change.error());
  if (change.has_retry_time()) {
    parts.Add(fmt::format("next probe {}", RelativeTime(ToTime(change.retry_time()), now)));
  }
  parts.Labelled("by", change.actor());
}

void Describe(const api::JobChange& change, Parts& parts) {
  parts.Add(fmt::format("{} {}", KindName(change.kind()), change.job_id()));
  parts.Add(StateName(change.state()));
  parts.Add(change.error());
  parts.Labelled("by", change.actor());
}

}  // namespace

std::string EventName(api::EventType type) {
  std::string name = api::EventType_Name(type);
  if (!name.starts_with(kPrefix)) return fmt::format("type-{}", static_cast<int>(type));
  name.erase(0, kPrefix.size());
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

std::vector<api::EventType> EventTypes(std::string_view name) {
  std::vector<api::EventType> types;
  const auto* descriptor = api::EventType_descriptor();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto type = static_cast<api::EventType>(descriptor->value(i)->number());
    if (type == api::EVENT_TYPE_UNSPECIFIED) continue;
    const std::string known = EventName(type);
    if (known == name) return {type};
    if (known.size() > name.size() && known.starts_with(name) && known[name.size()] == '-')
      types.push_back(type);
  }
  return types;
}

std::string AllEventNames() {
  Parts names;
  const auto* descriptor = api::EventType_descriptor();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto type = static_cast<api::EventType>(descriptor->value(i)->number());
    if (type != api::EVENT_TYPE_UNSPECIFIED) names.Add(EventName(type));
  }
  return names.text();
}

Colour EventColour(api::EventType type) {
  switch (type) {
    case api::EVENT_TYPE_DELIVERY_SUCCEEDED:
    case api::EVENT_TYPE_CIRCUIT_CLOSED:
    case api::EVENT_TYPE_POLL_RECOVERED:
    case api::EVENT_TYPE_DISK_RECOVERED:
      return Colour::kGood;
    case api::EVENT_TYPE_DELIVERY_DEAD:
    case api::EVENT_TYPE_CIRCUIT_OPENED:
    case api::EVENT_TYPE_RECEIVER_GONE:
    case api::EVENT_TYPE_POLL_FAILED:
    case api::EVENT_TYPE_CONNECTION_SUSPENDED:
    case api::EVENT_TYPE_DISK_LOW:
      return Colour::kBad;
    case api::EVENT_TYPE_DELIVERY_FAILED:
    case api::EVENT_TYPE_CIRCUIT_HALF_OPENED:
    case api::EVENT_TYPE_LATE_FIND:
    case api::EVENT_TYPE_KEY_EXPIRING:
      return Colour::kWarn;
    default:
      return Colour::kNone;
  }
}

std::string DescribeEvent(const api::SyncEvent& event, absl::Time now) {
  Parts parts;
  if (event.order_id() != 0) {
    parts.Add(event.order_name().empty() ? fmt::format("order {}", event.order_id())
                                         : event.order_name());
  }
  switch (event.detail_case()) {
    case api::SyncEvent::kDeliveryOutcome:
      Describe(event.delivery_outcome(), now, parts);
      break;
    case api::SyncEvent::kConnectionChange:
      Describe(event.connection_change(), parts);
      break;
    case api::SyncEvent::kCircuitChange:
      Describe(event.circuit_change(), now, parts);
      break;
    case api::SyncEvent::kOrderFound:
      parts.Add(Revision(event.order_found().revision()));
      break;
    case api::SyncEvent::kPollOutcome:
      parts.Add(event.poll_outcome().error().empty() ? event.poll_outcome().failure()
                                                     : event.poll_outcome().error());
      break;
    case api::SyncEvent::kJobChange:
      Describe(event.job_change(), parts);
      break;
    case api::SyncEvent::kServerAct:
      parts.Add(event.server_act().what());
      parts.Labelled("by", event.server_act().actor());
      break;
    case api::SyncEvent::kKeyExpiry:
      parts.Add("an API key of its user in Odoo ends " +
                RelativeTime(ToTime(event.key_expiry().expire_time()), now));
      break;
    case api::SyncEvent::DETAIL_NOT_SET:
      break;
  }
  return parts.text();
}

}  // namespace poller::client
