#include "core/storage/sqlite/request_rows.h"

#include "core/base/status.h"

namespace poller {
namespace {

// With each request that is kept, so that they do not pile up between two rounds of retention; few,
// because others wait for the one writer.
constexpr int kPrunedAtATime = 100;

// Keyed: requests hold secrets, and a plain hash of a weak one can be guessed.
std::string ContentOf(const Vault& vault, const Actor& actor) {
  return actor.request_digest.empty() ? std::string() : vault.RequestHash(actor.request_digest);
}

}  // namespace

absl::Status RequestIdReused() {
  return WithReason(absl::AlreadyExistsError("the request id was used for a different request"),
                    "REQUEST_ID_REUSED");
}

absl::StatusOr<std::optional<std::int64_t>> FindRequest(Database& db, const Vault& vault,
                                                        const std::string& kind, const Actor& actor,
                                                        absl::Time now) {
  if (actor.request_id.empty()) return std::nullopt;
  Query query = db.Run(
      "SELECT result, content FROM request WHERE kind = ?1 AND token_id = ?2 AND request_id = ?3 "
      "AND at > ?4",
      kind, actor.token, actor.request_id, now - kRequestKept);
  if (!query.Next()) {
    RETURN_IF_ERROR(query.status());
    return std::nullopt;
  }
  const std::string content = query.Text(1);
  if (!content.empty() && content != ContentOf(vault, actor)) {
    return RequestIdReused();
  }
  return query.Int(0);
}

absl::StatusOr<int> PruneRequests(Database& db, absl::Time now, int limit) {
  RETURN_IF_ERROR(
      db.Exec("DELETE FROM request WHERE (kind, token_id, request_id) IN "
              "(SELECT kind, token_id, request_id FROM request WHERE at <= ?1 LIMIT ?2)",
              now - kRequestKept, limit));
  return static_cast<int>(db.changes());
}

absl::Status KeepRequest(Database& db, const Vault& vault, const std::string& kind,
                         const Actor& actor, std::int64_t result, absl::Time now) {
  RETURN_IF_ERROR(PruneRequests(db, now, kPrunedAtATime).status());
  if (actor.request_id.empty()) return absl::OkStatus();
  // In the place of one of that id that is too old, if it is still there.
  return db.Exec(
      "INSERT OR REPLACE INTO request(kind, token_id, request_id, result, at, content) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      kind, actor.token, actor.request_id, result, now, Blob{ContentOf(vault, actor)});
}

absl::StatusOr<std::string> ReadAnswer(Database& db, const std::string& kind, const Actor& actor) {
  Query query =
      db.Run("SELECT answer FROM request WHERE kind = ?1 AND token_id = ?2 AND request_id = ?3",
             kind, actor.token, actor.request_id);
  std::string answer;
  if (query.Next()) answer = query.Text(0);
  RETURN_IF_ERROR(query.status());
  return answer;
}

absl::Status WriteAnswer(Database& db, const std::string& kind, const Actor& actor,
                         const std::string& answer) {
  return db.Exec(
      "UPDATE request SET answer = ?4 WHERE kind = ?1 AND token_id = ?2 AND request_id = ?3", kind,
      actor.token, actor.request_id, Blob{answer});
}

}  // namespace poller
