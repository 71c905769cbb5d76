#include "core/storage/sqlite/sqlite_token_store.h"

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {
namespace {

Token ReadRow(const Query& query) {
  Token token;
  token.id = query.As<TokenId>(0);
  token.name = query.Text(1);
  token.role = FromCode<Role>(query.Int(2));
  token.created_at = query.TimeOr(3, absl::InfinitePast());
  token.revoked_at = query.OptionalTime(4);
  return token;
}

}  // namespace

absl::StatusOr<Token> SqliteTokenStore::Create(const std::string& name, Role role,
                                               const Secret& token, const Actor& actor,
                                               absl::Time now) {
  const std::string hash = context_.vault.TokenHash(token);
  Token created;
  created.name = name;
  created.role = role;
  created.created_at = now;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    {
      Query taken = db.Run("SELECT 1 FROM token WHERE name = ?1 AND revoked_at IS NULL", name);
      if (taken.Next()) {
        return WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                                     "there is a token named " + name + " already"),
                          "NAME_TAKEN");
      }
      RETURN_IF_ERROR(taken.status());
    }
    RETURN_IF_ERROR(
        db.Exec("INSERT INTO token(name, role, hash, created_at) VALUES (?1, ?2, ?3, ?4)", name,
                Code(role), Blob{hash}, now));
    created.id = TokenId(db.last_insert_id());
    SyncEvent event;
    event.at = now;
    event.type = EventType::kTokenChanged;
    event.detail.actor = actor.token_name;
    event.detail.request_id = actor.request_id;
    event.detail.change = "created " + name;
    return AppendEvent(transaction, event).status();
  });
  RETURN_IF_ERROR(stored);
  return created;
}

absl::StatusOr<Token> SqliteTokenStore::Find(const Secret& token) {
  const std::string hash = context_.vault.TokenHash(token);
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<Token> {
    Query query = db.Run(
        "SELECT id, name, role, created_at, revoked_at FROM token "
        "WHERE hash = ?1 AND revoked_at IS NULL",
        Blob{hash});
    if (query.Next()) return ReadRow(query);
    RETURN_IF_ERROR(query.status());
    return absl::UnauthenticatedError("the token is unknown or revoked");
  });
}

absl::StatusOr<std::vector<Token>> SqliteTokenStore::List() {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<Token>> {
    std::vector<Token> tokens;
    Query query = db.Run("SELECT id, name, role, created_at, revoked_at FROM token ORDER BY id");
    while (query.Next()) tokens.push_back(ReadRow(query));
    RETURN_IF_ERROR(query.status());
    return tokens;
  });
}

}  // namespace poller
