#include "core/storage/sqlite/backup_mark.h"

#include <charconv>
#include <cstdint>
#include <string>

#include "core/base/status.h"
#include "core/storage/sqlite/vault.h"

namespace poller {
namespace {

constexpr std::string_view kKey = "backup";

}  // namespace

absl::Status MarkAsBackup(Database& db, absl::Time made) {
  return WriteMeta(db, kKey, std::to_string(absl::ToUnixMicros(made)));
}

absl::StatusOr<std::optional<absl::Time>> BackupMade(Database& db) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, FindMeta(db, kKey));
  if (!text) return std::nullopt;
  std::int64_t micros = 0;
  std::from_chars(text->data(), text->data() + text->size(), micros);
  return absl::FromUnixMicros(micros);
}

absl::Status RemoveBackupMark(Database& db) {
  return db.Exec("DELETE FROM meta WHERE key = ?1", kKey);
}

}  // namespace poller
