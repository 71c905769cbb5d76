#include "core/storage/sqlite/sqlite_connection_store.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/connection_rows.h"
#include "core/storage/sqlite/request_rows.h"

namespace poller {
namespace {

EventDetail By(const Actor& actor) {
  EventDetail detail;
  detail.actor = actor.token_name;
  detail.request_id = actor.request_id;
  return detail;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

bool Names(const std::vector<std::string>& fields, std::string_view field) {
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

absl::StatusOr<std::int64_t> VersionOf(Database& db, ConnectionId id) {
  Query query = db.Run("SELECT version FROM connection WHERE id = ?1", id);
  if (query.Next()) return query.Int(0);
  RETURN_IF_ERROR(query.status());
  return NoSuchConnection(id);
}

absl::Status CheckVersion(Database& db, ConnectionId id, std::int64_t expected) {
  if (expected == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(db, id));
  if (version == expected) return absl::OkStatus();
  return WithReason(MakeStatus(absl::StatusCode::kAborted,
                               "connection " + std::to_string(id.value()) +
                                   " was changed meanwhile: read it again, then repeat the change"),
                    "ETAG_MISMATCH");
}

// Another Odoo: what was known of the old one's orders counts no more. Revision numbers go on
// (IngestTransaction::History).
absl::Status ResetOdoo(Database& db, ConnectionId id) {
  RETURN_IF_ERROR(db.Exec("UPDATE connection SET generation = generation + 1 WHERE id = ?1", id));
  return db.Exec(
      "UPDATE connection_state SET mark = NULL, line_mark = NULL, sweep_mark = NULL, "
      "started = NULL, odoo_uid = 0, odoo_version = '', odoo_protocol = 0, "
      "key_expires_at = NULL, held_polled = 0, held_swept = 0 WHERE "
      "connection_id = ?1",
      id);
}

// Ends a suspension and "receiver gone", with an event if there was one.
absl::Status Resume(Transaction& transaction, const ConnectionRef& connection, const Actor& actor,
                    absl::Time now) {
  Database& db = transaction.db;
  EventDetail detail = By(actor);
  {
    Query query = db.Run(
        "SELECT suspension_reason, receiver_gone_since FROM connection_state "
        "WHERE connection_id = ?1",
        connection.id);
    if (query.Next()) {
      if (!query.IsNull(0)) detail.reason = query.Text(0);
      if (query.IsNull(0) && !query.IsNull(1)) detail.reason = "receiver_gone";
    }
    RETURN_IF_ERROR(query.status());
  }
  if (detail.reason.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(
      db.Exec("UPDATE connection_state SET suspension_reason = NULL, suspension_message = '', "
              "suspended_since = NULL, receiver_gone_since = NULL WHERE connection_id = ?1",
              connection.id));
  return AppendConnectionEvent(transaction, connection, EventType::kConnectionResumed,
                               std::move(detail), now);
}

// The legs that change, as "polling", "delivery" or "polling,delivery", to paused or to resumed.
struct PauseChange {
  std::vector<std::string> paused, resumed;
};
PauseChange ChangeOf(const ConnectionSettings& settings, std::optional<bool> polling,
                     std::optional<bool> delivery) {
  PauseChange change;
  if (polling && *polling != settings.paused_polling) {
    (*polling ? change.paused : change.resumed).push_back("polling");
  }
  if (delivery && *delivery != settings.paused_delivery) {
    (*delivery ? change.paused : change.resumed).push_back("delivery");
  }
  return change;
}

absl::Status AppendPauseEvents(Transaction& transaction, const ConnectionRef& connection,
                               const PauseChange& change, const Actor& actor, absl::Time now) {
  for (const auto& [legs, type] : {std::pair(&change.paused, EventType::kConnectionPaused),
                                   std::pair(&change.resumed, EventType::kConnectionResumed)}) {
    if (legs->empty()) continue;
    EventDetail detail = By(actor);
    detail.change = Join(*legs);
    RETURN_IF_ERROR(AppendConnectionEvent(transaction, connection, type, std::move(detail), now));
  }
  return absl::OkStatus();
}

constexpr const char* kRotateKind = "rotate_secret";

}  // namespace

absl::StatusOr<Connection> SqliteConnectionStore::Create(const ConnectionSettings& settings,
                                                         const Actor& actor, absl::Time now) {
  Connection created;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const auto done,
                     FindRequest(db, context_.vault, "create_connection", actor, now));
    if (done) {
      ASSIGN_OR_RETURN(auto found, ReadConnection(db, context_.vault, ConnectionId(*done)));
      created = std::move(found.connection);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const ConnectionRef connection,
                     InsertConnection(transaction, context_.vault, settings, actor, now));
    RETURN_IF_ERROR(
        KeepRequest(db, context_.vault, "create_connection", actor, connection.id.value(), now));
    ASSIGN_OR_RETURN(auto found, ReadConnection(db, context_.vault, connection.id));
    created = std::move(found.connection);
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return created;
}

absl::StatusOr<ConnectionWithState> SqliteConnectionStore::Get(ConnectionId id) {
  return context_.readers.Read(
      [&](Database& db) { return ReadConnection(db, context_.vault, id); });
}

absl::StatusOr<ConnectionWithState> SqliteConnectionStore::GetByName(const std::string& name) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<ConnectionWithState> {
    ASSIGN_OR_RETURN(const ConnectionId id, IdOfName(db, name));
    return ReadConnection(db, context_.vault, id);
  });
}

absl::StatusOr<std::vector<ConnectionWithState>> SqliteConnectionStore::List(ConnectionId after,
                                                                             int limit) {
  return context_.readers.Read(
      [&](Database& db) { return ReadConnections(db, context_.vault, after, limit); });
}

absl::StatusOr<std::vector<ConnectionWithState>> SqliteConnectionStore::ListIn(
    ConnectionOrder order, const ConnectionPlace& after, int limit) {
  return context_.readers.Read(
      [&](Database& db) { return ReadConnectionsIn(db, context_.vault, order, after, limit); });
}

absl::StatusOr<Connection> SqliteConnectionStore::Update(const ConnectionUpdate& update,
                                                         const Actor& actor, absl::Time now) {
  Connection updated;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(ConnectionRef connection, FindConnection(db, update.id));
    RETURN_IF_ERROR(CheckVersion(db, update.id, update.expected_version));
    const absl::StatusOr<ConnectionId> named = IdOfName(db, update.settings.name);
    if (named.ok() && *named != update.id) return NameTaken(update.settings.name);
    if (!named.ok() && !absl::IsNotFound(named.status())) return named.status();

    RETURN_IF_ERROR(WriteSettings(db, context_.vault, connection.uid, update.settings, now));
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection SET version = version + 1 WHERE id = ?1", update.id));
    connection.name = update.settings.name;
    // A secret that was set is the only one, and a previous one never follows to another receiver.
    if (Names(update.changed, "webhook.secret")) RETURN_IF_ERROR(EndRotation(db, update.id));
    if (update.reset_odoo) RETURN_IF_ERROR(ResetOdoo(db, update.id));
    EventDetail detail = By(actor);
    detail.change = Join(update.changed);
    RETURN_IF_ERROR(AppendConnectionEvent(transaction, connection, EventType::kConnectionUpdated,
                                          std::move(detail), now));
    if (update.end_suspension) RETURN_IF_ERROR(Resume(transaction, connection, actor, now));
    ASSIGN_OR_RETURN(auto found, ReadConnection(db, context_.vault, update.id));
    updated = std::move(found.connection);
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return updated;
}

absl::StatusOr<Connection> SqliteConnectionStore::SetPaused(ConnectionId id,
                                                            std::optional<bool> polling,
                                                            std::optional<bool> delivery,
                                                            const Actor& actor, absl::Time now) {
  Connection result;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(ConnectionWithState before, ReadConnection(db, context_.vault, id));
    const PauseChange change = ChangeOf(before.connection.settings, polling, delivery);
    if (!change.paused.empty() || !change.resumed.empty()) {
      ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, id));
      RETURN_IF_ERROR(
          db.Exec("UPDATE connection SET paused_polling = coalesce(?2, paused_polling), "
                  "paused_delivery = coalesce(?3, paused_delivery), pause_note = '', "
                  "version = version + 1, updated_at = ?4 WHERE id = ?1",
                  id, polling, delivery, now));
      RETURN_IF_ERROR(AppendPauseEvents(transaction, connection, change, actor, now));
      ASSIGN_OR_RETURN(before, ReadConnection(db, context_.vault, id));
    }
    result = std::move(before.connection);
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return result;
}

absl::StatusOr<ConnectionStore::Rotated> SqliteConnectionStore::RotateSecret(
    const SecretChange& change, const Actor& actor, absl::Time now) {
  Rotated result;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    result = Rotated();
    ASSIGN_OR_RETURN(const auto done, FindRequest(db, context_.vault, kRotateKind, actor, now));
    if (done) {
      result.repeated = true;
      ASSIGN_OR_RETURN(result.now, ReadConnection(db, context_.vault, ConnectionId(*done)));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, change.id));
    RETURN_IF_ERROR(CheckVersion(db, change.id, change.expected_version));
    ASSIGN_OR_RETURN(auto found, ReadConnection(db, context_.vault, change.id));
    ASSIGN_OR_RETURN(const std::string what, ChangeSecret(found.connection, change, now));
    RETURN_IF_ERROR(WriteSecret(db, context_.vault, found.connection, now));
    RETURN_IF_ERROR(KeepRequest(db, context_.vault, kRotateKind, actor, change.id.value(), now));
    EventDetail detail = By(actor);
    detail.change = "webhook.secret";
    detail.reason = what;
    RETURN_IF_ERROR(AppendConnectionEvent(transaction, connection, EventType::kConnectionUpdated,
                                          std::move(detail), now));
    ASSIGN_OR_RETURN(result.now, ReadConnection(db, context_.vault, change.id));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return result;
}

absl::Status SqliteConnectionStore::ResetCircuits(ConnectionId id, const Actor& actor,
                                                  absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(transaction.db, id));
    for (const Leg leg : {Leg::kOdoo, Leg::kReceiver})
      RETURN_IF_ERROR(WriteBreaker(transaction, connection, leg, BreakerRecord(), now));
    RETURN_IF_ERROR(Resume(transaction, connection, actor, now));
    // Who it was: the breakers' own events do not say it, and there are none if all was well.
    return AppendConnectionEvent(transaction, connection, EventType::kCircuitReset, By(actor), now);
  });
}

absl::StatusOr<int> SqliteConnectionStore::EndRotations(absl::Time now, int limit) {
  int ended = 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    std::vector<ConnectionId> over;
    {
      Query query = db.Run("SELECT id FROM connection WHERE webhook_rotated_until <= ?1 LIMIT ?2",
                           now, limit);
      while (query.Next()) over.push_back(query.As<ConnectionId>(0));
      RETURN_IF_ERROR(query.status());
    }
    for (const ConnectionId id : over) RETURN_IF_ERROR(EndRotation(db, id));
    ended = static_cast<int>(over.size());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return ended;
}

absl::Status SqliteConnectionStore::RecordPoll(ConnectionId id, const LastPoll& poll,
                                               absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, id));
    bool failed_before = false;
    {
      Query query =
          db.Run("SELECT last_poll_error FROM connection_state WHERE connection_id = ?1", id);
      if (query.Next()) failed_before = !query.Text(0).empty();
      RETURN_IF_ERROR(query.status());
    }
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection_state SET last_poll_at = ?2, last_poll_duration_us = ?3, "
                "last_poll_found = ?4, last_poll_error = ?5 WHERE connection_id = ?1",
                id, poll.at, absl::ToInt64Microseconds(poll.duration), poll.found, poll.error));
    const bool failed = !poll.error.empty();
    if (failed == failed_before) return absl::OkStatus();
    EventDetail detail;
    detail.error = poll.error;
    detail.count = poll.found;
    return AppendConnectionEvent(transaction, connection,
                                 failed ? EventType::kPollFailed : EventType::kPollRecovered,
                                 std::move(detail), now);
  });
}

absl::Status SqliteConnectionStore::SaveOdooSession(ConnectionId id, std::int64_t odoo_uid,
                                                    const std::string& odoo_version,
                                                    OdooProtocol in_use) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(FindConnection(transaction.db, id));
    return transaction.db.Exec(
        "UPDATE connection_state SET odoo_uid = ?2, odoo_version = ?3, odoo_protocol = ?4 "
        "WHERE connection_id = ?1",
        id, odoo_uid, odoo_version, Code(in_use));
  });
}

absl::Status SqliteConnectionStore::SaveKeyExpiry(ConnectionId id,
                                                  std::optional<absl::Time> expires_at,
                                                  absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, id));
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection_state SET key_expires_at = ?2 WHERE connection_id = ?1", id,
                expires_at));
    if (!expires_at.has_value() || now < *expires_at - kKeyWarning) return absl::OkStatus();
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection_state SET key_warned_of = ?2 WHERE connection_id = ?1 "
                "AND key_warned_of IS NOT ?2",
                id, expires_at));
    if (db.changes() == 0) return absl::OkStatus();
    EventDetail detail;
    detail.expires_at = expires_at;
    return AppendConnectionEvent(transaction, connection, EventType::kKeyExpiring,
                                 std::move(detail), now);
  });
}

absl::Status SqliteConnectionStore::Suspend(ConnectionId id, const Suspension& suspension) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, id));
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection_state SET suspension_reason = ?2, suspension_message = ?3, "
                "suspended_since = ?4 WHERE connection_id = ?1 "
                "AND (suspension_reason IS NULL OR suspension_reason <> ?2)",
                id, suspension.reason, suspension.message, suspension.since));
    if (db.changes() == 0) return absl::OkStatus();
    EventDetail detail;
    detail.reason = suspension.reason;
    detail.error = suspension.message;
    return AppendConnectionEvent(transaction, connection, EventType::kConnectionSuspended,
                                 std::move(detail), suspension.since);
  });
}

absl::Status SqliteConnectionStore::EndSuspension(ConnectionId id, const Actor& actor,
                                                  absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(transaction.db, id));
    return Resume(transaction, connection, actor, now);
  });
}

absl::Status SqliteConnectionStore::SetReceiverGone(ConnectionId id,
                                                    std::optional<absl::Time> since) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, id));
    if (!since) {
      return db.Exec(
          "UPDATE connection_state SET receiver_gone_since = NULL WHERE connection_id = ?1", id);
    }
    RETURN_IF_ERROR(
        db.Exec("UPDATE connection_state SET receiver_gone_since = ?2 WHERE connection_id = ?1 "
                "AND receiver_gone_since IS NULL",
                id, since));
    if (db.changes() == 0) return absl::OkStatus();
    return AppendConnectionEvent(transaction, connection, EventType::kReceiverGone, EventDetail(),
                                 *since);
  });
}

absl::Status SqliteConnectionStore::SaveBreaker(ConnectionId id, Leg leg,
                                                const BreakerRecord& record, absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(transaction.db, id));
    return WriteBreaker(transaction, connection, leg, record, now);
  });
}

absl::Status SqliteConnectionStore::Delete(ConnectionId id, bool force, const Actor& actor,
                                           absl::Time now) {
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(transaction.db, id));
    return HideConnection(transaction, connection, force, By(actor), now);
  });
  RETURN_IF_ERROR(stored);
  return Purge();
}

absl::Status SqliteConnectionStore::Purge() {
  bool more = true;
  while (more) {
    const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
      ASSIGN_OR_RETURN(more, PurgeStep(transaction.db));
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(stored);
  }
  return absl::OkStatus();
}

}  // namespace poller
