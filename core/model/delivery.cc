#include "core/model/delivery.h"

namespace poller {

std::string_view DeliveryStatusName(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::kPending:
      return "pending";
    case DeliveryStatus::kDelivered:
      return "delivered";
    case DeliveryStatus::kDead:
      return "dead";
    case DeliveryStatus::kSuperseded:
      return "superseded";
    case DeliveryStatus::kDiscarded:
      return "discarded";
    case DeliveryStatus::kWithdrawn:
      return "withdrawn";
    case DeliveryStatus::kBaseline:
      return "baseline";
  }
  return "";
}

}  // namespace poller
