// BackupStore on SQLite.
#pragma once

#include <atomic>
#include <filesystem>

#include "core/storage/backup.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteBackupStore final : public BackupStore {
 public:
  SqliteBackupStore(const StoreContext& context, std::filesystem::path database)
      : context_(context), database_(std::move(database)) {}
  absl::StatusOr<BackupInfo> Backup(const std::filesystem::path& path, const Actor& actor,
                                    absl::Time now) override;
  absl::StatusOr<std::int64_t> NeededBytes() override;
  void Stop() override { stopped_ = true; }

 private:
  absl::StatusOr<BackupInfo> Write(const std::filesystem::path& path, absl::Time now);

  const StoreContext& context_;
  const std::filesystem::path database_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace poller
