#include "client/commands/delivery_view.h"

#include <fmt/format.h>

#include <string>

#include "client/commands/connection_view.h"
#include "client/convert.h"
#include "client/output/text.h"

namespace poller::client {
namespace {

// What is due waits for its turn, or for the receiver's breaker: "5s ago" would read as if it had
// been made.
std::string NextAttempt(const Session& session, const api::Delivery& delivery) {
  if (delivery.has_next_attempt_time() && ToTime(delivery.next_attempt_time()) <= session.now())
    return "due";
  return Ago(session, delivery.next_attempt_time());
}

std::string HttpStatus(int status) { return status == 0 ? "-" : std::to_string(status); }

}  // namespace

std::string Named(const api::Delivery& delivery) {
  return fmt::format("{} r{} (delivery {})", Printable(delivery.order_name()), delivery.revision(),
                     delivery.id());
}

Cell StatusCell(api::DeliveryStatus status) {
  switch (status) {
    case api::DELIVERY_STATUS_PENDING:
      return {"pending", Colour::kWarn};
    case api::DELIVERY_STATUS_DELIVERED:
      return {"delivered", Colour::kGood};
    case api::DELIVERY_STATUS_DEAD:
      return {"dead", Colour::kBad};
    case api::DELIVERY_STATUS_SUPERSEDED:
      return {"superseded", Colour::kDim};
    case api::DELIVERY_STATUS_DISCARDED:
      return {"discarded", Colour::kDim};
    case api::DELIVERY_STATUS_WITHDRAWN:
      return {"withdrawn", Colour::kDim};
    case api::DELIVERY_STATUS_BASELINE:
      return {"baseline", Colour::kDim};
    default:
      return {"unknown", Colour::kDim};
  }
}

void PrintDeliveries(Session& session,
                     const google::protobuf::RepeatedPtrField<api::Delivery>& deliveries) {
  Table table({{"N", true},
               {"CONNECTION", false, true},
               {"ORDER"},
               {"REV", true},
               {"STATUS"},
               {"TRIES", true},
               {"NEXT"},
               {"HTTP", true},
               {"ERROR", false, true, true}});
  for (const api::Delivery& delivery : deliveries) {
    const bool pending = delivery.status() == api::DELIVERY_STATUS_PENDING;
    const std::string next = delivery.in_flight() ? "now"
                             : pending            ? NextAttempt(session, delivery)
                                                  : "-";
    table.Add({std::to_string(delivery.id()), delivery.connection_name(), delivery.order_name(),
               std::to_string(delivery.revision()), StatusCell(delivery.status()),
               std::to_string(delivery.attempt_count()), next,
               HttpStatus(delivery.last_http_status()), delivery.last_error()});
  }
  table.Print(session.io().out, session.look());
}

void AddDelivery(const Session& session, const api::Delivery& delivery, Fields& fields) {
  fields.Add("Delivery", std::to_string(delivery.id()));
  fields.Add("Order", fmt::format("{} (Odoo id {}), revision {}", delivery.order_name(),
                                  delivery.order_id(), delivery.revision()));
  fields.Add("Connection",
             fmt::format("{} ({})", delivery.connection_id(), delivery.connection_name()));
  fields.Add("webhook-id", delivery.webhook_id());
  if (!delivery.event_name().empty()) fields.Add("Event", delivery.event_name());
  Cell status = StatusCell(delivery.status());
  if (delivery.in_flight()) status.text += ", an attempt is being made";
  if (!delivery.reason().empty()) status.text += ": " + delivery.reason();
  fields.Add("Status", status);
  fields.Add("Recorded", Ago(session, delivery.create_time()));
  if (delivery.has_next_attempt_time()) fields.Add("Next attempt", NextAttempt(session, delivery));
  if (!delivery.last_error().empty())
    fields.Add("Last error", Cell(delivery.last_error(), Colour::kBad));
}

void PrintAttempts(Session& session,
                   const google::protobuf::RepeatedPtrField<api::DeliveryAttempt>& attempts) {
  Table table(
      {{"TRY", true}, {"WHEN"}, {"TOOK", true}, {"HTTP", true}, {"RESULT", false, true, true}});
  for (const api::DeliveryAttempt& attempt : attempts) {
    const bool accepted = attempt.failure().empty() && attempt.error().empty();
    table.Add({std::to_string(attempt.number()), Ago(session, attempt.start_time()),
               ShortDuration(ToDuration(attempt.duration())), HttpStatus(attempt.http_status()),
               accepted ? Cell("accepted", Colour::kGood)
                        : Cell(attempt.error().empty() ? attempt.failure() : attempt.error(),
                               Colour::kBad)});
  }
  table.Print(session.io().out, session.look());
}

}  // namespace poller::client
