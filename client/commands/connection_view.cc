#include "client/commands/connection_view.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "client/convert.h"
#include "client/output/text.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

std::string Span(const google::protobuf::Duration& duration) {
  return poller::FormatDuration(ToDuration(duration));
}

std::string PausedPart(const api::Connection& connection) {
  if (connection.paused_polling() && connection.paused_delivery()) return "paused";
  if (connection.paused_polling()) return "polling paused";
  if (connection.paused_delivery()) return "delivery paused";
  return "";
}

std::string_view HostOf(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/'));
}

std::string BreakerText(const Session& session, const api::BreakerStatus& breaker) {
  std::string text;
  switch (breaker.state()) {
    case api::BREAKER_STATE_OPEN:
      text = fmt::format("open since {}, next probe {}", Ago(session, breaker.open_time()),
                         Ago(session, breaker.retry_time()));
      break;
    case api::BREAKER_STATE_HALF_OPEN:
      text = "half-open: probing";
      break;
    default:
      text = breaker.consecutive_failures() == 0
                 ? "closed"
                 : fmt::format("closed, {} failures in a row", breaker.consecutive_failures());
  }
  if (!breaker.last_error().empty()) text += ": " + breaker.last_error();
  return text;
}

Colour BreakerColour(const api::BreakerStatus& breaker) {
  if (breaker.state() == api::BREAKER_STATE_OPEN) return Colour::kBad;
  return breaker.state() == api::BREAKER_STATE_HALF_OPEN ? Colour::kWarn : Colour::kNone;
}

std::string LastPollText(const Session& session, const api::ConnectionState& state) {
  if (!state.has_last_poll()) return "never";
  const api::LastPoll& poll = state.last_poll();
  std::string text = fmt::format("{}, took {}, found {}", Ago(session, poll.start_time()),
                                 ShortDuration(ToDuration(poll.duration())), poll.found());
  if (!poll.error().empty()) text += ", failed: " + poll.error();
  return text;
}

std::string ProtocolName(api::OdooProtocol protocol) {
  switch (protocol) {
    case api::ODOO_PROTOCOL_JSONRPC:
      return "JSON-RPC";
    case api::ODOO_PROTOCOL_JSON2:
      return "JSON-2";
    default:
      return "not known yet";
  }
}

// "JSON-2 (auto)": what is in use, and who chose it.
std::string ProtocolText(const api::Connection& connection) {
  const bool chosen = connection.odoo().protocol() > api::ODOO_PROTOCOL_AUTO;
  return fmt::format("{} ({})", ProtocolName(connection.state().protocol_in_use()),
                     chosen ? "as set" : "auto");
}

// "19.0 JSON-2", with a mark where there is something to know of it.
Cell VersionCell(const api::Connection& connection) {
  const api::ConnectionState& state = connection.state();
  if (state.odoo_version().empty()) return "-";
  const bool attention = !state.protocol_warning().empty();
  return {fmt::format("{} {}{}", state.odoo_version(), ProtocolName(state.protocol_in_use()),
                      attention ? " !" : ""),
          attention ? Colour::kWarn : Colour::kNone};
}

void AddSettings(const api::Connection& connection, Fields& fields) {
  fields.Add("Id", std::to_string(connection.id()));
  fields.Add("Name", connection.name());
  fields.Add("At the receiver",
             connection.external_id().empty() ? connection.uid() : connection.external_id());
  fields.Add("Odoo", connection.odoo().url());
  fields.Add("Database", connection.odoo().database());
  fields.Add("Login", connection.odoo().username() +
                          (connection.odoo().has_api_key() ? "" : " (no API key)"));
  fields.Add("Webhook", connection.webhook().url() +
                            (connection.webhook().has_secret() ? "" : " (no secret)"));
  if (connection.webhook().legacy_secret_header())
    fields.Add("Secret header", "X-Webhook-Secret is sent");
  fields.Add("Polls every", Span(connection.interval()));
  if (connection.has_overlap()) fields.Add("Overlap", Span(connection.overlap()));
  std::string companies;
  for (const std::int64_t id : connection.odoo().company_ids()) {
    companies += fmt::format("{}{}", companies.empty() ? "" : ", ", id);
  }
  if (!companies.empty()) fields.Add("Companies", companies);
  fields.Add("Cancellations", connection.send_cancelled() ? "sent" : "not sent");
  if (connection.send_every_touch()) fields.Add("Touches", "sent");
  fields.Add("Started from", connection.start_from() == "now" ? "now (when it was added)"
                                                              : connection.start_from());
}

}  // namespace

std::string Ago(const Session& session, const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "-";
  return RelativeTime(ToTime(time), session.now());
}

std::string Named(const api::Connection& connection) {
  return fmt::format("connection {} ({})", connection.id(), Printable(connection.name()));
}

Cell HealthCell(const api::Connection& connection) {
  const std::string paused = PausedPart(connection);
  const std::string also = paused.empty() ? "" : ", " + paused;
  switch (connection.state().health()) {
    case api::CONNECTION_HEALTH_HEALTHY:
      return {"healthy" + also, Colour::kGood};
    case api::CONNECTION_HEALTH_PAUSED:
      return {paused.empty() ? "paused" : paused, Colour::kWarn};
    case api::CONNECTION_HEALTH_DEGRADED:
      return {"degraded" + also, Colour::kWarn};
    case api::CONNECTION_HEALTH_HELD:
      return {"held" + also, Colour::kWarn};
    case api::CONNECTION_HEALTH_STANDS_STILL:
      return {"stands still" + also, Colour::kBad};
    case api::CONNECTION_HEALTH_CIRCUIT_OPEN:
      return {"circuit open" + also, Colour::kBad};
    case api::CONNECTION_HEALTH_SUSPENDED:
      return {"suspended" + also, Colour::kBad};
    default:
      return {"unknown" + also, Colour::kDim};
  }
}

std::string Problem(const api::Connection& connection) {
  const api::ConnectionState& state = connection.state();
  if (state.has_suspension()) {
    return state.suspension().message().empty() ? state.suspension().reason()
                                                : state.suspension().message();
  }
  if (state.health() == api::CONNECTION_HEALTH_STANDS_STILL)
    return "not polled: the server's disk is nearly full";
  if (!state.last_poll().error().empty()) return state.last_poll().error();
  if (state.odoo_breaker().state() >= api::BREAKER_STATE_OPEN)
    return "Odoo fails: " + state.odoo_breaker().last_error();
  if (state.has_receiver_gone_since()) return "the receiver answers 410: it wants no more";
  if (state.receiver_breaker().state() >= api::BREAKER_STATE_OPEN)
    return "the receiver fails: " + state.receiver_breaker().last_error();
  if (state.has_held_since()) return "held after a restore until a poll and a sweep are complete";
  std::string dead;
  if (state.dead_count() > 0) dead = fmt::format("{} dead", state.dead_count());
  if (state.pause_note().empty() || dead.empty()) return dead + state.pause_note();
  return dead + "; " + state.pause_note();
}

void PrintConnections(Session& session,
                      const google::protobuf::RepeatedPtrField<api::Connection>& connections) {
  Table table({{"ID", true},
               {"NAME", false, true},
               {"HEALTH"},
               {"LAST POLL"},
               {"WAITING", true},
               {"DEAD", true},
               {"ODOO", false, true},
               {"VERSION"},
               {"PROBLEM", false, true, true}});
  for (const api::Connection& connection : connections) {
    const api::ConnectionState& state = connection.state();
    table.Add({std::to_string(connection.id()), connection.name(), HealthCell(connection),
               Ago(session, state.last_poll().start_time()), std::to_string(state.waiting_count()),
               Cell(std::to_string(state.dead_count()),
                    state.dead_count() > 0 ? Colour::kBad : Colour::kNone),
               fmt::format("{}/{}", HostOf(connection.odoo().url()), connection.odoo().database()),
               VersionCell(connection), Problem(connection)});
  }
  table.Print(session.io().out, session.look());
}

void PrintConnection(Session& session, const api::Connection& connection) {
  const api::ConnectionState& state = connection.state();
  Fields fields;
  AddSettings(connection, fields);
  const absl::Time rotation_ends = ToTime(connection.webhook().rotation_end_time());
  if (rotation_ends > session.now()) {
    fields.Add("Secret",
               Cell(fmt::format("is being rotated: the one before counts too until {} ({})",
                                poller::FormatTime(rotation_ends),
                                RelativeTime(rotation_ends, session.now())),
                    Colour::kWarn));
  }
  fields.Add("Health", HealthCell(connection));
  if (!state.pause_note().empty()) fields.Add("Paused", Cell(state.pause_note(), Colour::kWarn));
  if (state.health() == api::CONNECTION_HEALTH_STANDS_STILL)
    fields.Add("Stands still", Cell(Problem(connection), Colour::kBad));
  if (state.has_suspension()) {
    fields.Add("Suspended", Cell(fmt::format("{}: {}", Ago(session, state.suspension().since()),
                                             Problem(connection)),
                                 Colour::kBad));
  }
  fields.Add("Last poll", Cell(LastPollText(session, state),
                               state.last_poll().error().empty() ? Colour::kNone : Colour::kBad));
  fields.Add("Known up to", Ago(session, state.mark()));
  fields.Add("Last sweep", Ago(session, state.sweep_mark()));
  if (state.has_held_since()) {
    fields.Add("Held", Cell("since " + Ago(session, state.held_since()) +
                                ": restored; until a poll and a sweep are complete",
                            Colour::kWarn));
  }
  fields.Add("Odoo breaker",
             Cell(BreakerText(session, state.odoo_breaker()), BreakerColour(state.odoo_breaker())));
  fields.Add("Receiver breaker", Cell(BreakerText(session, state.receiver_breaker()),
                                      BreakerColour(state.receiver_breaker())));
  if (state.has_receiver_failing_since()) {
    fields.Add("Receiver fails",
               Cell("since " + Ago(session, state.receiver_failing_since()), Colour::kBad));
  }
  std::string waiting = std::to_string(state.waiting_count());
  if (state.waiting_count() > 0)
    waiting += ", the oldest since " + Ago(session, state.oldest_waiting_time());
  fields.Add("Waiting", waiting);
  fields.Add("Dead", Cell(std::to_string(state.dead_count()),
                          state.dead_count() > 0 ? Colour::kBad : Colour::kNone));
  if (!state.odoo_version().empty()) fields.Add("Odoo version", state.odoo_version());
  fields.Add("Protocol", ProtocolText(connection));
  if (!state.protocol_warning().empty()) {
    fields.Add("  attention", Cell(state.protocol_warning(), Colour::kWarn));
  }
  if (state.has_key_expire_time()) {
    const absl::Time end = ToTime(state.key_expire_time());
    const bool soon = end - session.now() < absl::Hours(24 * 14);
    fields.Add("API key ends", Cell(fmt::format("{} ({})", RelativeTime(end, session.now()),
                                                poller::FormatTime(end)),
                                    soon ? Colour::kWarn : Colour::kNone));
  }
  fields.Print(session.io().out, session.look());
}

}  // namespace poller::client
