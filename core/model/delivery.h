// A revision of an order and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/model/ids.h"

namespace poller {

enum class DeliveryStatus {
  kPending,     // to be delivered, or delivered again
  kDelivered,   // the receiver accepted it
  kDead,        // given up with a reason; can be replayed
  kSuperseded,  // a newer revision took its place
  kDiscarded,   // an operator gave it up
  kWithdrawn,   // Odoo cancelled the order before the receiver had accepted it
  kBaseline,    // existed before the connection began; never sent unless somebody asks
};
// "pending", ...
std::string_view DeliveryStatusName(DeliveryStatus status);

// Whether the revision says that the order is confirmed or that it is cancelled.
enum class OrderCondition { kConfirmed, kCancelled };

// Live orders are delivered before history (backfills).
enum class DeliveryClass { kLive, kHistory };

// The name that the webhook carries.
inline constexpr std::string_view kEventConfirmed = "order.confirmed";
inline constexpr std::string_view kEventUpdated = "order.updated";
inline constexpr std::string_view kEventCancelled = "order.cancelled";

// Delivery::reason of what another program did before this one took over: its content was not seen
// here. Delivered, dead (given up there), or pending (to be read again before it can be sent).
inline constexpr std::string_view kReasonImported = "imported";

struct Delivery {
  DeliveryId id;
  ConnectionId connection;
  OrderId order;
  std::string order_name;
  int revision = 0;  // from 1, rising for each order
  std::string webhook_id;
  DeliveryStatus status = DeliveryStatus::kPending;
  OrderCondition condition = OrderCondition::kConfirmed;
  DeliveryClass priority = DeliveryClass::kLive;
  std::string event;       // empty until the first claim fixes it
  std::string write_date;  // Odoo's, of this content
  int attempts = 0;        // requests started
  int spent = 0;           // failures that count against the order
  absl::Time created_at;
  absl::Time updated_at;
  absl::Time next_attempt_at =
      absl::InfinitePast();  // pending: not before; an estimate, waits run on the monotonic clock
  bool in_flight = false;
  int last_http_status = 0;  // 0: no answer yet
  std::string last_error;    // why it failed or is dead, safe to show
  std::string reason;  // dead, discarded, withdrawn: a stable word ("max_attempts", "unmappable",
                       // "operator", "cancelled"); kReasonImported
};

// One request, or one operator's act, on a delivery.
struct DeliveryAttempt {
  int number = 0;
  absl::Time at;
  absl::Duration duration;
  int http_status = 0;  // 0: no answer
  std::string failure;  // empty: accepted; else a word of TransportFailure or "refused"
  std::string error;    // the cut, masked answer
};

// The newest recorded revision of an order: what every later observation is compared with.
struct OrderHead {
  OrderId order;
  std::string name;
  int revision = 0;
  std::string
      content_hash;  // with the version of its algorithm; empty: the record could not be mapped
  std::string write_date;       // Odoo's, newest one seen for this content
  std::string line_write_date;  // newest of its lines at that read; empty: none
  // Which state of which line that read saw (polling/line_stamps.h). Empty: not recorded, or no lines.
  std::string line_stamps;
  OrderCondition condition = OrderCondition::kConfirmed;
  // The second of write_date was not over for sure when the content was read: compare it once more.
  bool young = false;
  // Odoo's clock (Date) of the read.
  absl::Time observed_at = absl::InfinitePast();
  DeliveryId delivery;  // its delivery
  // Taken over with kReasonImported: its content is not known, only what Odoo had written when it
  // was read (write_date, line_write_date).
  bool imported = false;
  DeliveryStatus status = DeliveryStatus::kPending;
};

}  // namespace poller
