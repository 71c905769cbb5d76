#include "client/commands/secret_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "client/channel.h"
#include "client/output/text.h"

namespace poller::client {

absl::StatusOr<std::string> ReadValue(Io& io, const std::string& file) {
  if (file != "-") return ReadFile(file);
  std::string line;
  if (!std::getline(io.in, line)) return absl::InvalidArgumentError("standard input has ended");
  return line;
}

std::string WithoutLineEnd(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::unique_ptr<SecretFile> SecretFile::Create(Session& session, const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0) return std::unique_ptr<SecretFile>(new SecretFile(path, fd));
  session.WrongUsage(
      errno == EEXIST
          ? fmt::format("--out: {} is there already and is not overwritten: name another file",
                        Printable(path))
          : fmt::format("--out: {} cannot be made: {}", Printable(path), strerror(errno)));
  return nullptr;
}

SecretFile::~SecretFile() {
  if (fd_ >= 0) close(fd_);
  if (!written_) unlink(path_.c_str());
}

bool SecretFile::Write(Session& session, const std::string& secret) {
  const std::string line = secret + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t wrote = write(fd_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  written_ = rest.empty() && fsync(fd_) == 0;
  if (!written_)
    session.Note(
        fmt::format("pollerctl: {} cannot be written: {}", Printable(path_), strerror(errno)));
  return written_;
}

}  // namespace poller::client
