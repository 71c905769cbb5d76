#include "core/storage/sqlite/disk_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/base/status.h"

namespace poller {
namespace {

absl::Status FileError(const std::filesystem::path& path, std::string_view what, int error) {
  const std::string text = "file " + path.string() + " cannot be " + std::string(what) + ": " +
                           std::generic_category().message(error);
  if (error != EEXIST) return MakeStatus(absl::StatusCode::kUnavailable, text);
  return WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                               "file " + path.string() + " exists: name another, or remove it"),
                    "FILE_EXISTS");
}

absl::Status Sync(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return FileError(path, "opened", errno);
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? absl::OkStatus() : FileError(path, "written", error);
}

}  // namespace

absl::Status CreatePrivateFile(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(path, "created", errno);
  close(fd);
  return absl::OkStatus();
}

absl::Status SyncFile(const std::filesystem::path& path) { return Sync(path, O_RDWR); }

absl::Status SyncFolderOf(const std::filesystem::path& path) {
  return Sync(path.parent_path().empty() ? "." : path.parent_path(), O_RDONLY | O_DIRECTORY);
}

absl::Status ReplaceFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return FileError(to, "created", errno);
  return SyncFolderOf(to);
}

absl::Status RenameToNew(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    // Some filesystems cannot promise that nothing is replaced; then we look ourselves.
    if (errno != EINVAL && errno != ENOSYS) return FileError(to, "created", errno);
    if (access(to.c_str(), F_OK) == 0) return FileError(to, "created", EEXIST);
    return ReplaceFile(from, to);
  }
  return SyncFolderOf(to);
}

absl::Status CopyToNewFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  RETURN_IF_ERROR(CreatePrivateFile(to));
  std::ifstream in(from, std::ios::binary);
  if (!in.is_open()) return FileError(from, "opened", errno);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  std::vector<char> buffer(1 << 20);
  while (in.good() && out.good()) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    out.write(buffer.data(), in.gcount());
  }
  if (in.bad()) return FileError(from, "read", EIO);
  out.close();
  if (!out.good()) return FileError(to, "written", errno != 0 ? errno : EIO);
  return SyncFile(to);
}

void RemoveDatabaseFiles(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(path.string() + suffix, ignored);
  }
}

}  // namespace poller
