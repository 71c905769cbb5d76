#include "core/storage/sqlite/connection_rows.h"

#include <charconv>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {
namespace {

// One select list for every reader: the order is that of ReadRow.
#define POLLER_CONNECTION_SELECT                                                                  \
  "SELECT c.id, c.uid, c.version, c.name, c.external_id, c.odoo_url, c.odoo_database, "           \
  "c.odoo_username, c.odoo_api_key, c.odoo_protocol, c.odoo_company_ids, c.odoo_ca_pem, "         \
  "c.odoo_rate, c.webhook_url, c.webhook_secret, c.webhook_legacy_secret_header, "                \
  "c.webhook_ca_pem, c.interval_us, c.overlap_us, c.line_interval_us, c.track_age_us, "           \
  "c.send_cancelled, c.send_every_touch, c.start_from, c.paused_polling, c.paused_delivery, "     \
  "c.created_at, c.updated_at, s.mark, s.line_mark, s.sweep_mark, s.started, s.odoo_uid, "        \
  "s.odoo_version, s.odoo_breaker_state, s.odoo_breaker_failures, s.odoo_breaker_successes, "     \
  "s.odoo_breaker_opened_at, s.odoo_breaker_retry_at, s.odoo_breaker_error, "                     \
  "s.receiver_breaker_state, s.receiver_breaker_failures, s.receiver_breaker_successes, "         \
  "s.receiver_breaker_opened_at, s.receiver_breaker_retry_at, s.receiver_breaker_error, "         \
  "s.suspension_reason, s.suspension_message, s.suspended_since, s.receiver_gone_since, "         \
  "s.receiver_failing_since, s.last_poll_at, s.last_poll_duration_us, s.last_poll_found, "        \
  "s.last_poll_error, s.waiting, s.dead, "                                                        \
  "(SELECT min(d.pending_since) FROM delivery d WHERE d.connection_id = c.id AND d.status = 0), " \
  "s.held_since, c.webhook_previous_secret, c.webhook_rotated_until, s.odoo_protocol, "           \
  "s.key_expires_at, c.pause_note "                                                               \
  "FROM connection c JOIN connection_state s ON s.connection_id = c.id WHERE c.deleted = 0 "

SealContext ApiKeyPlace(const std::string& uid) { return {"connection", uid, "odoo_api_key"}; }
SealContext SecretPlace(const std::string& uid) { return {"connection", uid, "webhook_secret"}; }
SealContext PreviousSecretPlace(const std::string& uid) {
  return {"connection", uid, "webhook_previous_secret"};
}

std::string JoinIds(const std::vector<std::int64_t>& ids) {
  std::string text;
  for (const std::int64_t id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

std::vector<std::int64_t> SplitIds(const std::string& text) {
  std::vector<std::int64_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc()) break;
    ids.push_back(id);
    at = next + 1;
  }
  return ids;
}

absl::StatusOr<Secret> UnsealSecret(const Vault& vault, const std::string& sealed,
                                    const SealContext& place) {
  ASSIGN_OR_RETURN(std::string plain, vault.Unseal(sealed, place));
  Secret secret(plain);
  WipeString(plain);
  return secret;
}

BreakerRecord ReadBreaker(const Query& row, int column) {
  BreakerRecord record;
  record.state = FromCode<BreakerState>(row.Int(column));
  record.failures = static_cast<int>(row.Int(column + 1));
  record.successes = static_cast<int>(row.Int(column + 2));
  record.opened_at = row.TimeOr(column + 3, absl::InfinitePast());
  record.retry_at = row.TimeOr(column + 4, absl::InfinitePast());
  record.last_error = row.Text(column + 5);
  return record;
}

ConnectionState ReadState(const Query& row, int column) {
  ConnectionState state;
  state.mark = row.TimeOr(column, absl::InfinitePast());
  state.line_mark = row.TimeOr(column + 1, absl::InfinitePast());
  state.sweep_mark = row.TimeOr(column + 2, absl::InfinitePast());
  state.started = row.TimeOr(column + 3, absl::InfinitePast());
  state.odoo_uid = row.Int(column + 4);
  state.odoo_version = row.Text(column + 5);
  state.odoo_breaker = ReadBreaker(row, column + 6);
  state.receiver_breaker = ReadBreaker(row, column + 12);
  if (!row.IsNull(column + 18)) {
    state.suspension = Suspension{.reason = row.Text(column + 18),
                                  .message = row.Text(column + 19),
                                  .since = row.TimeOr(column + 20, absl::InfinitePast())};
  }
  state.receiver_gone_since = row.OptionalTime(column + 21);
  state.receiver_failing_since = row.OptionalTime(column + 22);
  state.last_poll.at = row.TimeOr(column + 23, absl::InfinitePast());
  state.last_poll.duration = absl::Microseconds(row.Int(column + 24));
  state.last_poll.found = row.Int(column + 25);
  state.last_poll.error = row.Text(column + 26);
  state.waiting = row.Int(column + 27);
  state.dead = row.Int(column + 28);
  state.oldest_waiting = row.TimeOr(column + 29, absl::InfiniteFuture());
  state.held_since = row.OptionalTime(column + 30);
  state.odoo_protocol = FromCode<OdooProtocol>(row.Int(column + 33));
  state.key_expires_at = row.OptionalTime(column + 34);
  return state;
}

absl::StatusOr<ConnectionWithState> ReadRow(const Query& row, const Vault& vault) {
  ConnectionWithState result;
  Connection& connection = result.connection;
  connection.id = row.As<ConnectionId>(0);
  connection.uid = row.Text(1);
  connection.version = row.Int(2);
  ConnectionSettings& settings = connection.settings;
  settings.name = row.Text(3);
  settings.external_id = row.Text(4);
  settings.odoo.url = row.Text(5);
  settings.odoo.database = row.Text(6);
  settings.odoo.username = row.Text(7);
  ASSIGN_OR_RETURN(settings.odoo.api_key,
                   UnsealSecret(vault, row.Text(8), ApiKeyPlace(connection.uid)));
  settings.odoo.protocol = FromCode<OdooProtocol>(row.Int(9));
  settings.odoo.company_ids = SplitIds(row.Text(10));
  settings.odoo.ca_pem = row.Text(11);
  settings.odoo.rate = row.Real(12);
  settings.webhook.url = row.Text(13);
  ASSIGN_OR_RETURN(settings.webhook.secret,
                   UnsealSecret(vault, row.Text(14), SecretPlace(connection.uid)));
  settings.webhook.legacy_secret_header = row.Bool(15);
  settings.webhook.ca_pem = row.Text(16);
  settings.interval = absl::Microseconds(row.Int(17));
  settings.overlap = absl::Microseconds(row.Int(18));
  settings.line_interval = absl::Microseconds(row.Int(19));
  settings.track_age = absl::Microseconds(row.Int(20));
  settings.send_cancelled = row.Bool(21);
  settings.send_every_touch = row.Bool(22);
  ASSIGN_OR_RETURN(settings.start_from, StartFrom::Parse(row.Text(23)));
  settings.paused_polling = row.Bool(24);
  settings.paused_delivery = row.Bool(25);
  connection.created_at = row.TimeOr(26, absl::InfinitePast());
  connection.updated_at = row.TimeOr(27, absl::InfinitePast());
  connection.pause_note = row.Text(63);
  result.state = ReadState(row, 28);
  if (!row.IsNull(60)) {
    SecretRotation rotation;
    ASSIGN_OR_RETURN(rotation.previous,
                     UnsealSecret(vault, row.Text(59), PreviousSecretPlace(connection.uid)));
    rotation.until = row.TimeOr(60, absl::InfinitePast());
    connection.rotation = std::move(rotation);
  }
  return result;
}

#define POLLER_IN_ORDER_OF(key) \
  POLLER_CONNECTION_SELECT "AND (" key ", c.id) > (?1, ?2) ORDER BY " key ", c.id LIMIT ?3"

// The keys as ConnectionKey writes them.
absl::StatusOr<Query> ListQuery(Database& db, ConnectionOrder order, const ConnectionPlace& after,
                                int limit) {
  if (order == ConnectionOrder::kId) {
    return db.Run(POLLER_CONNECTION_SELECT "AND c.id > ?1 ORDER BY c.id LIMIT ?2", after.id, limit);
  }
  if (order == ConnectionOrder::kName) {
    return db.Run(POLLER_IN_ORDER_OF("c.name"), after.key, after.id, limit);
  }
  std::int64_t key = -1;  // before all
  const char* const end = after.key.data() + after.key.size();
  const auto [stop, error] = std::from_chars(after.key.data(), end, key);
  if (after.id && (error != std::errc() || stop != end))
    return absl::InvalidArgumentError("the key is not of this order");
  if (order == ConnectionOrder::kLastPoll) {
    return db.Run(POLLER_IN_ORDER_OF("coalesce(s.last_poll_at, 0)"), key, after.id, limit);
  }
  return db.Run(POLLER_IN_ORDER_OF("coalesce((SELECT min(d.pending_since) FROM delivery d WHERE "
                                   "d.connection_id = c.id AND d.status = 0), "
                                   "9223372036854775807)"),
                key, after.id, limit);
}

}  // namespace

absl::Status NoSuchConnection(ConnectionId id) {
  return WithReason(MakeStatus(absl::StatusCode::kNotFound,
                               "there is no connection " + std::to_string(id.value())),
                    "CONNECTION_NOT_FOUND");
}

absl::StatusOr<ConnectionRef> FindConnection(Database& db, ConnectionId id) {
  Query query = db.Run(
      "SELECT uid, name, external_id, generation, version FROM connection "
      "WHERE id = ?1 AND deleted = 0",
      id);
  if (query.Next()) {
    return ConnectionRef{.id = id,
                         .uid = query.Text(0),
                         .name = query.Text(1),
                         .external_id = query.Text(2),
                         .generation = static_cast<int>(query.Int(3)),
                         .version = query.Int(4)};
  }
  RETURN_IF_ERROR(query.status());
  return NoSuchConnection(id);
}

absl::StatusOr<bool> IsHeld(Database& db, ConnectionId id) {
  Query query = db.Run(
      "SELECT 1 FROM connection_state WHERE connection_id = ?1 AND held_since IS NOT NULL", id);
  const bool held = query.Next();
  RETURN_IF_ERROR(query.status());
  return held;
}

absl::StatusOr<std::vector<ConnectionWithState>> ReadConnections(Database& db, const Vault& vault,
                                                                 ConnectionId after, int limit) {
  return ReadConnectionsIn(db, vault, ConnectionOrder::kId, {after, {}}, limit);
}

absl::StatusOr<std::vector<ConnectionWithState>> ReadConnectionsIn(Database& db, const Vault& vault,
                                                                   ConnectionOrder order,
                                                                   const ConnectionPlace& after,
                                                                   int limit) {
  ASSIGN_OR_RETURN(Query query, ListQuery(db, order, after, limit));
  std::vector<ConnectionWithState> list;
  while (query.Next()) {
    ASSIGN_OR_RETURN(auto row, ReadRow(query, vault));
    list.push_back(std::move(row));
  }
  RETURN_IF_ERROR(query.status());
  return list;
}

absl::StatusOr<ConnectionWithState> ReadConnection(Database& db, const Vault& vault,
                                                   ConnectionId id) {
  Query query = db.Run(POLLER_CONNECTION_SELECT "AND c.id = ?1", id);
  if (query.Next()) return ReadRow(query, vault);
  RETURN_IF_ERROR(query.status());
  return NoSuchConnection(id);
}

absl::StatusOr<ConnectionId> IdOfName(Database& db, const std::string& name) {
  Query query = db.Run("SELECT id FROM connection WHERE name = ?1 AND deleted = 0", name);
  if (query.Next()) return query.As<ConnectionId>(0);
  RETURN_IF_ERROR(query.status());
  return WithReason(
      MakeStatus(absl::StatusCode::kNotFound, "there is no connection named \"" + name + "\""),
      "CONNECTION_NOT_FOUND");
}

absl::Status NameTaken(const std::string& name) {
  return WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                               "there is a connection named \"" + name + "\" already"),
                    "NAME_TAKEN");
}

absl::StatusOr<ConnectionRef> InsertConnection(Transaction& transaction, const Vault& vault,
                                               const ConnectionSettings& settings,
                                               const Actor& actor, absl::Time now) {
  Database& db = transaction.db;
  const absl::StatusOr<ConnectionId> taken = IdOfName(db, settings.name);
  if (taken.ok()) return NameTaken(settings.name);
  if (!absl::IsNotFound(taken.status())) return taken.status();

  const std::string uid = vault.RandomName();
  RETURN_IF_ERROR(db.Exec(
      "INSERT INTO connection(uid, name, external_id, odoo_url, odoo_database, odoo_username, "
      "odoo_api_key, odoo_protocol, odoo_company_ids, odoo_ca_pem, odoo_rate, webhook_url, "
      "webhook_secret, webhook_legacy_secret_header, webhook_ca_pem, interval_us, overlap_us, "
      "line_interval_us, track_age_us, send_cancelled, send_every_touch, start_from, "
      "paused_polling, paused_delivery, created_at, updated_at) "
      "VALUES (?1, ?2, '', '', '', '', x'', 0, '', '', 0, '', x'', 0, '', 0, 0, 0, 0, 0, 0, '', "
      "0, 0, ?3, ?3)",
      uid, settings.name, now));
  const ConnectionId id(db.last_insert_id());
  RETURN_IF_ERROR(db.Exec("INSERT INTO connection_state(connection_id) VALUES (?1)", id));
  RETURN_IF_ERROR(WriteSettings(db, vault, uid, settings, now));
  ASSIGN_OR_RETURN(ConnectionRef connection, FindConnection(db, id));
  EventDetail detail;
  detail.actor = actor.token_name;
  detail.request_id = actor.request_id;
  RETURN_IF_ERROR(AppendConnectionEvent(transaction, connection, EventType::kConnectionCreated,
                                        std::move(detail), now));
  return connection;
}

absl::Status WriteSettings(Database& db, const Vault& vault, const std::string& uid,
                           const ConnectionSettings& settings, absl::Time now) {
  const OdooSettings& odoo = settings.odoo;
  const WebhookSettings& webhook = settings.webhook;
  const std::string api_key = vault.Seal(odoo.api_key.Reveal(), ApiKeyPlace(uid));
  const std::string secret = vault.Seal(webhook.secret.Reveal(), SecretPlace(uid));
  return db.Exec(
      "UPDATE connection SET name = ?2, external_id = ?3, odoo_url = ?4, odoo_database = ?5, "
      "odoo_username = ?6, odoo_api_key = ?7, odoo_protocol = ?8, odoo_company_ids = ?9, "
      "odoo_ca_pem = ?10, odoo_rate = ?11, webhook_url = ?12, webhook_secret = ?13, "
      "webhook_legacy_secret_header = ?14, webhook_ca_pem = ?15, interval_us = ?16, "
      "overlap_us = ?17, line_interval_us = ?18, track_age_us = ?19, send_cancelled = ?20, "
      "send_every_touch = ?21, start_from = ?22, paused_polling = ?23, paused_delivery = ?24, "
      "updated_at = ?25 WHERE uid = ?1",
      uid, settings.name, settings.external_id, odoo.url, odoo.database, odoo.username,
      Blob{api_key}, Code(odoo.protocol), JoinIds(odoo.company_ids), odoo.ca_pem, odoo.rate,
      webhook.url, Blob{secret}, webhook.legacy_secret_header, webhook.ca_pem,
      absl::ToInt64Microseconds(settings.interval), absl::ToInt64Microseconds(settings.overlap),
      absl::ToInt64Microseconds(settings.line_interval),
      absl::ToInt64Microseconds(settings.track_age), settings.send_cancelled,
      settings.send_every_touch, settings.start_from.Text(), settings.paused_polling,
      settings.paused_delivery, now);
}

absl::Status WriteSecret(Database& db, const Vault& vault, const Connection& connection,
                         absl::Time now) {
  const auto& rotation = connection.rotation;
  const std::string secret =
      vault.Seal(connection.settings.webhook.secret.Reveal(), SecretPlace(connection.uid));
  const std::string previous =
      rotation ? vault.Seal(rotation->previous.Reveal(), PreviousSecretPlace(connection.uid)) : "";
  std::optional<absl::Time> until;
  if (rotation) until = rotation->until;
  return db.Exec(
      "UPDATE connection SET webhook_secret = ?2, webhook_previous_secret = ?3, "
      "webhook_rotated_until = ?4, version = version + 1, updated_at = ?5 WHERE id = ?1",
      connection.id, Blob{secret}, Blob{previous}, until, now);
}

absl::Status EndRotation(Database& db, ConnectionId id) {
  return db.Exec(
      "UPDATE connection SET webhook_previous_secret = x'', webhook_rotated_until = NULL "
      "WHERE id = ?1",
      id);
}

absl::Status AppendConnectionEvent(Transaction& transaction, const ConnectionRef& connection,
                                   EventType type, EventDetail detail, absl::Time now) {
  SyncEvent event;
  event.at = now;
  event.type = type;
  event.connection = connection.id;
  event.connection_name = connection.name;
  event.detail = std::move(detail);
  return AppendEvent(transaction, event).status();
}

}  // namespace poller
