#include "core/storage/sqlite/sqlite_token_store.h"

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/event_rows.h"
#include "core/storage/sqlite/request_rows.h"

namespace poller {
namespace {

constexpr const char* kCreateKind = "create_token";

#define POLLER_TOKEN_SELECT \
  "SELECT id, name, role, created_at, revoked_at, last_used_at FROM token "

Token ReadRow(const Query& query) {
  Token token;
  token.id = query.As<TokenId>(0);
  token.name = query.Text(1);
  token.role = FromCode<Role>(query.Int(2));
  token.created_at = query.TimeOr(3, absl::InfinitePast());
  token.revoked_at = query.OptionalTime(4);
  token.last_used_at = query.OptionalTime(5);
  return token;
}

absl::StatusOr<Token> ReadToken(Database& db, TokenId id) {
  Query query = db.Run(POLLER_TOKEN_SELECT "WHERE id = ?1", id);
  if (query.Next()) return ReadRow(query);
  RETURN_IF_ERROR(query.status());
  const std::string number = std::to_string(id.value());
  return WithMetadata(
      WithReason(MakeStatus(absl::StatusCode::kNotFound, "there is no token " + number),
                 "TOKEN_NOT_FOUND"),
      "token", number);
}

absl::Status CheckNameFree(Database& db, const std::string& name) {
  Query taken = db.Run("SELECT 1 FROM token WHERE name = ?1 AND revoked_at IS NULL", name);
  if (!taken.Next()) return taken.status();
  return WithMetadata(WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                                            "there is a token named \"" + name + "\" already"),
                                 "NAME_TAKEN"),
                      "name", name);
}

// What was revoked is not to count again.
absl::Status CheckTextNew(Database& db, const std::string& hash) {
  Query known = db.Run("SELECT 1 FROM token WHERE hash = ?1", Blob{hash});
  if (!known.Next()) return known.status();
  return WithReason(
      MakeStatus(absl::StatusCode::kAlreadyExists, "the token is known already, or was revoked"),
      "TOKEN_KNOWN");
}

absl::StatusOr<bool> AdminExists(Database& db, TokenId beside) {
  Query query =
      db.Run("SELECT 1 FROM token WHERE role = ?1 AND revoked_at IS NULL AND id <> ?2 LIMIT 1",
             Code(Role::kAdmin), beside);
  const bool found = query.Next();
  RETURN_IF_ERROR(query.status());
  return found;
}

absl::Status Announce(Transaction& transaction, const std::string& change, const Actor& actor,
                      absl::Time now) {
  SyncEvent event;
  event.at = now;
  event.type = EventType::kTokenChanged;
  event.detail.actor = actor.token_name;
  event.detail.request_id = actor.request_id;
  event.detail.change = change;
  return AppendEvent(transaction, event).status();
}

}  // namespace

absl::StatusOr<CreatedToken> SqliteTokenStore::Create(const std::string& name, Role role,
                                                      const Secret& token, const Actor& actor,
                                                      absl::Time now) {
  const std::string hash = context_.vault.TokenHash(token);
  CreatedToken created;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    created = CreatedToken();
    ASSIGN_OR_RETURN(const auto done, FindRequest(db, context_.vault, kCreateKind, actor, now));
    if (done) {
      created.repeated = true;
      ASSIGN_OR_RETURN(created.token, ReadToken(db, TokenId(*done)));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckTextNew(db, hash));
    RETURN_IF_ERROR(CheckNameFree(db, name));
    RETURN_IF_ERROR(
        db.Exec("INSERT INTO token(name, role, hash, created_at) VALUES (?1, ?2, ?3, ?4)", name,
                Code(role), Blob{hash}, now));
    const TokenId id(db.last_insert_id());
    RETURN_IF_ERROR(KeepRequest(db, context_.vault, kCreateKind, actor, id.value(), now));
    ASSIGN_OR_RETURN(created.token, ReadToken(db, id));
    return Announce(transaction, "created " + name, actor, now);
  });
  RETURN_IF_ERROR(stored);
  return created;
}

absl::StatusOr<Token> SqliteTokenStore::Find(const Secret& token) {
  const std::string hash = context_.vault.TokenHash(token);
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<Token> {
    Query query = db.Run(POLLER_TOKEN_SELECT "WHERE hash = ?1 AND revoked_at IS NULL", Blob{hash});
    if (query.Next()) return ReadRow(query);
    RETURN_IF_ERROR(query.status());
    return absl::UnauthenticatedError("the token is unknown or revoked");
  });
}

absl::StatusOr<std::vector<Token>> SqliteTokenStore::List(TokenId after, int limit) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<Token>> {
    std::vector<Token> tokens;
    Query query = db.Run(POLLER_TOKEN_SELECT "WHERE id > ?1 ORDER BY id LIMIT ?2", after, limit);
    while (query.Next()) tokens.push_back(ReadRow(query));
    RETURN_IF_ERROR(query.status());
    return tokens;
  });
}

absl::StatusOr<bool> SqliteTokenStore::HasAdmin() {
  return context_.readers.Read([](Database& db) { return AdminExists(db, TokenId()); });
}

absl::StatusOr<Token> SqliteTokenStore::Revoke(TokenId id, const Actor& actor, absl::Time now) {
  Token token;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(token, ReadToken(db, id));
    if (token.revoked_at) return absl::OkStatus();
    if (token.role == Role::kAdmin) {
      ASSIGN_OR_RETURN(const bool another, AdminExists(db, id));
      if (!another) {
        return WithReason(
            MakeStatus(absl::StatusCode::kFailedPrecondition,
                       "\"" + token.name +
                           "\" is the last token of an administrator: create another one first"),
            "LAST_ADMIN");
      }
    }
    RETURN_IF_ERROR(db.Exec("UPDATE token SET revoked_at = ?2 WHERE id = ?1", id, now));
    token.revoked_at = now;
    return Announce(transaction, "revoked " + token.name, actor, now);
  });
  RETURN_IF_ERROR(stored);
  return token;
}

absl::Status SqliteTokenStore::RecordUse(TokenId id, absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) {
    return transaction.db.Exec(
        "UPDATE token SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2", id,
        now);
  });
}

}  // namespace poller
