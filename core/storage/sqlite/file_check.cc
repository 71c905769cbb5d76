#include "core/storage/sqlite/file_check.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "core/base/status.h"
#include "core/storage/sqlite/backup_mark.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/migrations.h"

namespace poller {
namespace {

// The header of every SQLite file: https://www.sqlite.org/fileformat2.html, 1.3.
constexpr std::size_t kHeaderBytes = 100;
constexpr std::size_t kUserVersionAt = 60;
constexpr std::size_t kApplicationIdAt = 68;
constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::uint32_t BigEndian(const std::array<char, kHeaderBytes>& header, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(header[at + i]);
  }
  return value;
}

absl::Status Foreign(const std::filesystem::path& path, std::string_view reason,
                     const std::string& what) {
  return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                               "file " + path.string() + " " + what + "; it was left untouched"),
                    reason);
}

// The tables of the Python poller.
bool IsPythonPoller(const std::filesystem::path& path) {
  const auto db = Database::Open(path, Database::Mode::kImmutable);
  if (!db.ok()) return false;
  Query query = (*db)->Run(
      "SELECT count(*) FROM sqlite_master WHERE type = 'table' "
      "AND name IN ('connections', 'sync_logs', 'retry_queue', 'sent_orders')");
  return query.Next() && query.Int(0) == 4;
}

bool IsBackup(const std::filesystem::path& path) {
  const auto db = Database::Open(path, Database::Mode::kImmutable);
  if (!db.ok()) return false;  // what is wrong with it is told by who opens it
  const auto made = BackupMade(**db);
  return made.ok() && made->has_value();
}

}  // namespace

absl::Status CheckFile(const std::filesystem::path& path) {
  std::array<char, kHeaderBytes> header;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "database " + path.string() + " cannot be opened for reading");
  }
  file.read(header.data(), header.size());
  if (file.bad()) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "database " + path.string() + " cannot be read");
  }
  if (file.gcount() < static_cast<std::streamsize>(header.size()) ||
      std::string_view(header.data(), kMagic.size()) != kMagic) {
    return Foreign(path, "NOT_OURS", "is not a database of this program: name another path");
  }
  if (BigEndian(header, kApplicationIdAt) != static_cast<std::uint32_t>(kApplicationId)) {
    if (IsPythonPoller(path)) {
      return Foreign(path, "PYTHON_POLLER",
                     "is the database of the Python poller: name another path for the new one, and "
                     "take it over with `pollerd import --from " +
                         path.string() + " --fernet-key-file FILE`");
    }
    return Foreign(path, "NOT_OURS", "is a database of another program: name another path");
  }
  const std::uint32_t version = BigEndian(header, kUserVersionAt);
  if (version > SchemaSteps().size()) {
    return Foreign(path, "NEWER_SCHEMA",
                   "has schema version " + std::to_string(version) +
                       ", made by a newer program; this one knows " +
                       std::to_string(SchemaSteps().size()) +
                       ": start the newer program, or restore a backup");
  }
  if (IsBackup(path)) {
    return Foreign(path, "IS_BACKUP",
                   "is a backup: what it holds is put back with `pollerd restore " + path.string() +
                       "`, into another path");
  }
  return absl::OkStatus();
}

}  // namespace poller
