// One process a database.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"

namespace poller {

// A lock beside the database file ("poller.db.lock"). It ends with this object or with the process,
// however that ends. The lock file stays: removing it would let two processes hold locks on two
// files of that name.
class FileLock {
 public:
  // kAlreadyExists (reason LOCKED): names the holder's pid. kUnavailable: the lock file cannot be
  // made.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::filesystem::path& database);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace poller
