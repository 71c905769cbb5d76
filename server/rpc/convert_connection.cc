#include "server/rpc/convert_connection.h"

#include <algorithm>
#include <charconv>

#include "core/base/status.h"
#include "core/base/url.h"
#include "core/odoo/version.h"
#include "server/rpc/connection_fields.h"
#include "server/rpc/convert_common.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

constexpr std::string_view kPrefix = "connection.";

v1::OdooProtocol ToProto(OdooProtocol protocol) {
  switch (protocol) {
    case OdooProtocol::kAuto:
      return v1::ODOO_PROTOCOL_AUTO;
    case OdooProtocol::kJsonRpc:
      return v1::ODOO_PROTOCOL_JSONRPC;
    case OdooProtocol::kJson2:
      return v1::ODOO_PROTOCOL_JSON2;
  }
  return v1::ODOO_PROTOCOL_UNSPECIFIED;
}

v1::BreakerStatus ToProto(const BreakerRecord& record) {
  v1::BreakerStatus proto;
  switch (record.state) {
    case BreakerState::kClosed:
      proto.set_state(v1::BREAKER_STATE_CLOSED);
      break;
    case BreakerState::kOpen:
      proto.set_state(v1::BREAKER_STATE_OPEN);
      break;
    case BreakerState::kHalfOpen:
      proto.set_state(v1::BREAKER_STATE_HALF_OPEN);
      break;
  }
  proto.set_consecutive_failures(record.failures);
  proto.set_last_error(record.last_error);
  if (record.state == BreakerState::kClosed) return proto;
  SetTime(proto, &v1::BreakerStatus::mutable_open_time, record.opened_at);
  SetTime(proto, &v1::BreakerStatus::mutable_retry_time, record.retry_at);
  return proto;
}

v1::LastPoll ToProto(const LastPoll& poll) {
  v1::LastPoll proto;
  SetTime(proto, &v1::LastPoll::mutable_start_time, poll.at);
  *proto.mutable_duration() = rpc::ToProto(poll.duration);
  proto.set_found(poll.found);
  proto.set_error(poll.error);
  return proto;
}

v1::ConnectionState ToProto(const ConnectionState& state) {
  v1::ConnectionState proto;
  *proto.mutable_odoo_breaker() = ToProto(state.odoo_breaker);
  *proto.mutable_receiver_breaker() = ToProto(state.receiver_breaker);
  if (state.suspension) {
    proto.mutable_suspension()->set_reason(state.suspension->reason);
    proto.mutable_suspension()->set_message(state.suspension->message);
    SetTime(*proto.mutable_suspension(), &v1::Suspension::mutable_since, state.suspension->since);
  }
  if (state.last_poll.at != absl::InfinitePast())
    *proto.mutable_last_poll() = ToProto(state.last_poll);
  SetTime(proto, &v1::ConnectionState::mutable_mark, state.mark);
  proto.set_waiting_count(state.waiting);
  proto.set_dead_count(state.dead);
  SetTime(proto, &v1::ConnectionState::mutable_oldest_waiting_time, state.oldest_waiting);
  if (state.odoo_protocol != OdooProtocol::kAuto)
    proto.set_protocol_in_use(ToProto(state.odoo_protocol));
  proto.set_odoo_version(state.odoo_version);
  SetTime(proto, &v1::ConnectionState::mutable_key_expire_time,
          state.key_expires_at.value_or(absl::InfinitePast()));
  SetTime(proto, &v1::ConnectionState::mutable_receiver_failing_since,
          state.receiver_failing_since.value_or(absl::InfinitePast()));
  SetTime(proto, &v1::ConnectionState::mutable_receiver_gone_since,
          state.receiver_gone_since.value_or(absl::InfinitePast()));
  SetTime(proto, &v1::ConnectionState::mutable_held_since,
          state.held_since.value_or(absl::InfinitePast()));
  SetTime(proto, &v1::ConnectionState::mutable_line_mark, state.line_mark);
  SetTime(proto, &v1::ConnectionState::mutable_sweep_mark, state.sweep_mark);
  return proto;
}

void FillOdoo(const OdooSettings& odoo, v1::OdooSettings& proto) {
  proto.set_url(odoo.url);
  proto.set_database(odoo.database);
  proto.set_username(odoo.username);
  proto.set_has_api_key(!odoo.api_key.empty());
  proto.set_protocol(ToProto(odoo.protocol));
  for (const std::int64_t id : odoo.company_ids) proto.add_company_ids(id);
  proto.set_ca_pem(odoo.ca_pem);
  proto.set_rate(odoo.rate);
}

void FillWebhook(const WebhookSettings& webhook, v1::WebhookSettings& proto) {
  proto.set_url(webhook.url);
  proto.set_has_secret(!webhook.secret.empty());
  proto.set_legacy_secret_header(webhook.legacy_secret_header);
  proto.set_ca_pem(webhook.ca_pem);
}

// An address that stands in a URL is checked at once. A name may mean another address at any time:
// it is checked when it is dialled.
void CheckEgress(const std::string& field, const std::string& text, const EgressPolicy& policy,
                 std::vector<FieldViolation>& bad) {
  const auto url = ParseUrl(text);
  if (!url.ok()) return;  // said by Validate
  const auto address = IpAddress::Parse(url->host == "localhost" ? "127.0.0.1" : url->host);
  if (!address.ok()) return;
  const absl::Status allowed = policy.Check(*address, url->scheme == "https");
  if (!allowed.ok()) bad.push_back({field, std::string(Message(allowed))});
}

// One violation a field: the first says the most. Fields of the connection get their prefix.
absl::Status Refuse(const std::vector<FieldViolation>& all) {
  std::vector<FieldViolation> violations;
  for (FieldViolation violation : all) {
    if (violation.field != "update_mask") violation.field.insert(0, kPrefix);
    const bool known = std::any_of(violations.begin(), violations.end(),
                                   [&](const auto& v) { return v.field == violation.field; });
    if (!known || violation.field == "update_mask") violations.push_back(std::move(violation));
  }
  return InvalidFields(violations);
}

absl::Status Check(const ConnectionSettings& settings, std::vector<FieldViolation> violations) {
  const auto found = FieldViolations(settings.Validate());
  violations.insert(violations.end(), found.begin(), found.end());
  return violations.empty() ? absl::OkStatus() : Refuse(violations);
}

bool SameOrigin(const std::string& a, const std::string& b) {
  const auto url_a = ParseUrl(a);
  const auto url_b = ParseUrl(b);
  return url_a.ok() && url_b.ok() && url_a->Origin() == url_b->Origin();
}

bool SameHost(const std::string& a, const std::string& b) {
  const auto url_a = ParseUrl(a);
  const auto url_b = ParseUrl(b);
  return url_a.ok() && url_b.ok() && url_a->host == url_b->host;
}

// The fields that a path names: itself, or, for "odoo" and "webhook", all below it. Of those a
// secret only if it is given.
std::vector<const ConnectionField*> FieldsOf(const std::string& path,
                                             const v1::Connection& connection) {
  std::vector<const ConnectionField*> fields;
  for (const ConnectionField& field : ConnectionFields()) {
    if (field.path == path) return {&field};
    if (!field.path.starts_with(path + ".")) continue;
    const bool given = field.path == "odoo.api_key" ? !connection.odoo().api_key().empty()
                                                    : !connection.webhook().secret().empty();
    if (!field.secret || given) fields.push_back(&field);
  }
  return fields;
}

std::string WhyNotSettable(const std::string& path) {
  if (path == "paused_polling" || path == "paused_delivery")
    return path + " is changed by PauseConnection and ResumeConnection";
  if (path == "start_from") return path + " is fixed when a connection is created";
  // A child of the message that exists but is no setting is output only.
  const auto* field = v1::Connection::descriptor()->FindFieldByName(path.substr(0, path.find('.')));
  return field != nullptr ? path + " cannot be set" : "there is no field " + path;
}

// Secrets are bound to the server that they were given for: whoever may change an address must not
// be able to have a secret sent there.
void CheckSecretsStay(const ConnectionSettings& before, const ConnectionSettings& after,
                      const std::vector<std::string_view>& named,
                      std::vector<FieldViolation>& violations) {
  const auto given = [&](std::string_view path) {
    return std::find(named.begin(), named.end(), path) != named.end();
  };
  const std::string why = "must be given anew in this request, because scheme, host or port of ";
  if (ParseUrl(after.odoo.url).ok() && !SameOrigin(before.odoo.url, after.odoo.url) &&
      !given("odoo.api_key")) {
    violations.push_back({"odoo.api_key", why + "odoo.url change"});
  }
  if (ParseUrl(after.webhook.url).ok() && !SameOrigin(before.webhook.url, after.webhook.url) &&
      !given("webhook.secret")) {
    violations.push_back({"webhook.secret", why + "webhook.url change"});
  }
}

}  // namespace

v1::ConnectionHealth HealthOf(const ConnectionWithState& connection, bool disk_low) {
  const ConnectionState& state = connection.state;
  const ConnectionSettings& settings = connection.connection.settings;
  const auto any = [&](BreakerState wanted) {
    return state.odoo_breaker.state == wanted || state.receiver_breaker.state == wanted;
  };
  if (state.suspension) return v1::CONNECTION_HEALTH_SUSPENDED;
  if (any(BreakerState::kOpen)) return v1::CONNECTION_HEALTH_CIRCUIT_OPEN;
  if (disk_low && !settings.paused_polling) return v1::CONNECTION_HEALTH_STANDS_STILL;
  if (state.held_since) return v1::CONNECTION_HEALTH_HELD;
  if (any(BreakerState::kHalfOpen) || !state.last_poll.error.empty() || state.receiver_gone_since ||
      state.dead > 0) {
    return v1::CONNECTION_HEALTH_DEGRADED;
  }
  if (settings.paused_polling || settings.paused_delivery) return v1::CONNECTION_HEALTH_PAUSED;
  return v1::CONNECTION_HEALTH_HEALTHY;
}

bool IsUnhealthy(const ConnectionWithState& connection, bool disk_low) {
  const auto health = HealthOf(connection, disk_low);
  return health != v1::CONNECTION_HEALTH_PAUSED && health != v1::CONNECTION_HEALTH_HEALTHY;
}

v1::Connection ToProto(const ConnectionWithState& with_state, const ConnectionRules& rules,
                       bool disk_low, absl::Time now) {
  const Connection& connection = with_state.connection;
  const ConnectionSettings& settings = connection.settings;
  v1::Connection proto;
  proto.set_id(connection.id.value());
  proto.set_uid(connection.uid);
  proto.set_name(settings.name);
  proto.set_external_id(settings.external_id);
  FillOdoo(settings.odoo, *proto.mutable_odoo());
  FillWebhook(settings.webhook, *proto.mutable_webhook());
  if (connection.IsRotating(now)) {
    SetTime(*proto.mutable_webhook(), &v1::WebhookSettings::mutable_rotation_end_time,
            connection.rotation->until);
  }
  *proto.mutable_interval() = rpc::ToProto(settings.interval);
  *proto.mutable_overlap() =
      rpc::ToProto(settings.overlap == absl::ZeroDuration() ? rules.overlap : settings.overlap);
  *proto.mutable_line_interval() = rpc::ToProto(settings.line_interval);
  *proto.mutable_track_age() = rpc::ToProto(settings.track_age);
  proto.set_send_cancelled(settings.send_cancelled);
  proto.set_send_every_touch(settings.send_every_touch);
  proto.set_start_from(settings.start_from.Text());
  proto.set_paused_polling(settings.paused_polling);
  proto.set_paused_delivery(settings.paused_delivery);
  *proto.mutable_state() = ToProto(with_state.state);
  proto.mutable_state()->set_health(HealthOf(with_state, disk_low));
  proto.mutable_state()->set_pause_note(connection.pause_note);
  // As of the last poll: what is said of the protocol in use belongs to its use.
  proto.mutable_state()->set_protocol_warning(
      odoo::ProtocolWarning(with_state.state.odoo_version, with_state.state.odoo_protocol,
                            settings.odoo.url, with_state.state.last_poll.at));
  proto.set_etag(Etag(connection.version));
  SetTime(proto, &v1::Connection::mutable_create_time, connection.created_at);
  SetTime(proto, &v1::Connection::mutable_update_time, connection.updated_at);
  return proto;
}

absl::StatusOr<ConnectionSettings> NewSettings(const v1::Connection& connection,
                                               const ConnectionRules& rules, absl::Time now) {
  ConnectionSettings settings;
  std::vector<FieldViolation> violations;
  for (const ConnectionField& field : ConnectionFields())
    field.read(connection, settings, violations);
  ReadInitialFields(connection, settings, now, violations);
  if (settings.webhook.url.empty()) settings.webhook.url = rules.default_webhook_url;
  CheckEgress("odoo.url", settings.odoo.url, rules.egress, violations);
  CheckEgress("webhook.url", settings.webhook.url, rules.egress, violations);
  RETURN_IF_ERROR(Check(settings, std::move(violations)));
  return settings;
}

absl::StatusOr<ChangedSettings> ChangeSettings(const ConnectionSettings& before,
                                               const v1::Connection& connection,
                                               const google::protobuf::FieldMask& mask,
                                               const ConnectionRules& rules) {
  ChangedSettings result;
  result.settings = before;
  std::vector<FieldViolation> violations;
  std::vector<std::string_view> named;
  if (mask.paths().empty()) violations.push_back({"update_mask", "must name the fields to set"});
  for (const std::string& path : mask.paths()) {
    const auto fields = FieldsOf(path, connection);
    if (fields.empty()) violations.push_back({"update_mask", WhyNotSettable(path)});
    for (const ConnectionField* field : fields) {
      field->read(connection, result.settings, violations);
      named.push_back(field->path);
    }
  }
  if (result.settings.webhook.url.empty()) result.settings.webhook.url = rules.default_webhook_url;
  CheckSecretsStay(before, result.settings, named, violations);
  // Only what changes: after the operator of the server took a range away, a connection into it can
  // still be renamed.
  const ConnectionSettings& after = result.settings;
  if (after.odoo.url != before.odoo.url)
    CheckEgress("odoo.url", after.odoo.url, rules.egress, violations);
  if (after.webhook.url != before.webhook.url)
    CheckEgress("webhook.url", after.webhook.url, rules.egress, violations);
  RETURN_IF_ERROR(Check(after, std::move(violations)));
  for (const ConnectionField& field : ConnectionFields()) {
    const bool given =
        field.secret && std::find(named.begin(), named.end(), field.path) != named.end();
    if (!given && field.same(before, result.settings)) continue;
    result.changed.emplace_back(field.path);
    result.credentials = result.credentials || field.credential;
  }
  result.other_odoo = before.odoo.database != result.settings.odoo.database ||
                      !SameHost(before.odoo.url, result.settings.odoo.url);
  return result;
}

std::string Etag(std::int64_t version) { return "v" + std::to_string(version); }

absl::StatusOr<std::int64_t> VersionOf(const std::string& etag) {
  std::int64_t version = 0;
  const char* const end = etag.data() + etag.size();
  const bool right = etag.starts_with('v') && [&] {
    const auto [stop, error] = std::from_chars(etag.data() + 1, end, version);
    return error == std::errc{} && stop == end && version > 0;
  }();
  if (!right) {
    return WithReason(
        absl::AbortedError("the etag is not the connection's present one: read it again"),
        "ETAG_MISMATCH");
  }
  return version;
}

}  // namespace poller::rpc
