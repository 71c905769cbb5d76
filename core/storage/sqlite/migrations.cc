#include "core/storage/sqlite/migrations.h"

#include <array>
#include <string>

#include "core/base/status.h"
#include "core/storage/sqlite/schema.h"

namespace poller {

std::span<const std::string_view> SchemaSteps() {
  static constexpr std::array<std::string_view, 7> kSteps = {kSchema1, kSchema2, kSchema3, kSchema4,
                                                             kSchema5, kSchema6, kSchema7};
  return kSteps;
}

absl::StatusOr<int> SchemaVersion(Database& db) {
  Query query = db.Run("PRAGMA user_version");
  if (query.Next()) return static_cast<int>(query.Int(0));
  RETURN_IF_ERROR(query.status());
  return absl::InternalError("PRAGMA user_version gives no row");
}

absl::Status Migrate(Database& db, std::span<const std::string_view> steps) {
  ASSIGN_OR_RETURN(const int version, SchemaVersion(db));
  const int latest = static_cast<int>(steps.size());
  if (version > latest) {
    return WithReason(
        MakeStatus(absl::StatusCode::kFailedPrecondition,
                   "database " + db.path().string() + " has schema version " +
                       std::to_string(version) + ", made by a newer program; this one knows " +
                       std::to_string(latest) + ": start the newer program, or restore a backup"),
        "NEWER_SCHEMA");
  }
  for (int step = version; step < latest; ++step) {
    const absl::Status status =
        db.Script("BEGIN IMMEDIATE;" + std::string(steps[static_cast<std::size_t>(step)]) +
                  "; PRAGMA user_version = " + std::to_string(step + 1) + "; COMMIT;");
    if (!status.ok()) {
      if (db.in_transaction()) db.Exec("ROLLBACK").IgnoreError();
      return AddContext(status, "schema step " + std::to_string(step + 1));
    }
  }
  return absl::OkStatus();
}

}  // namespace poller
