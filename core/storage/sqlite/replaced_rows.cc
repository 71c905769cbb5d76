#include "core/storage/sqlite/replaced_rows.h"

#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/connection_rows.h"

namespace poller {
namespace {

constexpr int kAll = std::numeric_limits<int>::max();

absl::StatusOr<std::vector<Connection>> AllConnections(Database& db, const Vault& vault) {
  ASSIGN_OR_RETURN(auto rows, ReadConnections(db, vault, ConnectionId(), kAll));
  std::vector<Connection> connections;
  for (auto& row : rows) connections.push_back(std::move(row.connection));
  return connections;
}

absl::StatusOr<std::vector<ReplacedSecrets::KnownToken>> TokensOf(Query query) {
  std::vector<ReplacedSecrets::KnownToken> tokens;
  while (query.Next())
    tokens.push_back({query.Text(0), query.Text(1), query.TimeOr(2, absl::InfinitePast())});
  RETURN_IF_ERROR(query.status());
  return tokens;
}

bool SameSecrets(const Connection& a, const Connection& b) {
  if (a.settings.webhook.secret != b.settings.webhook.secret) return false;
  if (a.rotation.has_value() != b.rotation.has_value()) return false;
  return !a.rotation ||
         (a.rotation->previous == b.rotation->previous && a.rotation->until == b.rotation->until);
}

absl::StatusOr<bool> HasAdmin(Database& db) {
  Query query = db.Run("SELECT 1 FROM token WHERE role = ?1 AND revoked_at IS NULL LIMIT 1",
                       Code(Role::kAdmin));
  const bool found = query.Next();
  RETURN_IF_ERROR(query.status());
  return found;
}

absl::Status KeepRevocations(Database& db, const ReplacedSecrets& replaced, RestoreReport& report) {
  for (const auto& token : replaced.revoked) {
    RETURN_IF_ERROR(
        db.Exec("UPDATE token SET revoked_at = ?2 WHERE hash = ?1 AND revoked_at IS NULL",
                Blob{token.hash}, token.at));
    report.revoked += db.changes();
  }
  ASSIGN_OR_RETURN(const bool admin, HasAdmin(db));
  if (admin) return absl::OkStatus();
  for (const auto& token : replaced.admins) {
    RETURN_IF_ERROR(
        db.Exec("INSERT OR IGNORE INTO token(name, role, hash, created_at) VALUES (?1, ?2, ?3, ?4)",
                token.name, Code(Role::kAdmin), Blob{token.hash}, token.at));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReplacedSecrets> ReadReplacedSecrets(Database& db, const Vault& vault) {
  ReplacedSecrets replaced;
  ASSIGN_OR_RETURN(
      replaced.revoked,
      TokensOf(db.Run("SELECT name, hash, revoked_at FROM token WHERE revoked_at IS NOT NULL")));
  ASSIGN_OR_RETURN(replaced.admins,
                   TokensOf(db.Run("SELECT name, hash, created_at FROM token WHERE revoked_at IS "
                                   "NULL AND role = ?1",
                                   Code(Role::kAdmin))));
  ASSIGN_OR_RETURN(replaced.connections, AllConnections(db, vault));
  return replaced;
}

absl::Status KeepNewerSecrets(Database& db, const Vault& vault, const ReplacedSecrets& replaced,
                              RestoreReport& report) {
  RETURN_IF_ERROR(KeepRevocations(db, replaced, report));
  std::map<std::string, const Connection*> newer;
  for (const Connection& connection : replaced.connections) newer[connection.uid] = &connection;
  ASSIGN_OR_RETURN(std::vector<Connection> restored, AllConnections(db, vault));
  for (Connection& connection : restored) {
    const auto found = newer.find(connection.uid);
    if (found == newer.end()) continue;
    const Connection& known = *found->second;
    if (known.updated_at <= connection.updated_at || SameSecrets(known, connection)) continue;
    // Sent in X-Webhook-Secret, it would be told to somebody else.
    if (known.settings.webhook.url != connection.settings.webhook.url) {
      report.secrets_old.push_back(connection.settings.name);
      continue;
    }
    connection.settings.webhook.secret = known.settings.webhook.secret;
    connection.rotation = known.rotation;
    RETURN_IF_ERROR(WriteSecret(db, vault, connection, known.updated_at));
    report.secrets_kept.push_back(connection.settings.name);
  }
  return absl::OkStatus();
}

}  // namespace poller
