#include "core/storage/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "core/base/status.h"

namespace poller {
namespace {

std::string ReadPid(int fd) {
  std::array<char, 32> text;
  const ssize_t n = pread(fd, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < n; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') break;
    pid += c;
  }
  return pid.empty() ? "unknown" : pid;
}

std::string ErrnoText(int error) { return std::generic_category().message(error); }

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(const std::filesystem::path& database) {
  const std::string path = database.string() + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "cannot open the lock file " + path + ": " + ErrnoText(errno));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    absl::Status status;
    if (error == EWOULDBLOCK) {
      status = WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                                     "database " + database.string() + " is in use by process " +
                                         ReadPid(fd) + " (lock file " + path + "): stop it first"),
                          "LOCKED");
    } else {
      status = MakeStatus(absl::StatusCode::kUnavailable,
                          "cannot lock " + path + ": " + ErrnoText(error));
    }
    close(fd);
    return status;
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // The pid is for people; the lock holds without it, also on a full disk.
  if (ftruncate(fd, 0) == 0 && pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    [[maybe_unused]] const int ignored = ftruncate(fd, 0);
  }
  return std::unique_ptr<FileLock>(new FileLock(fd));
}

FileLock::~FileLock() { close(fd_); }

}  // namespace poller
