#include "server/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

absl::Status Failed(std::string_view what, const std::filesystem::path& path, int error) {
  const absl::StatusCode code = error == ENOENT   ? absl::StatusCode::kNotFound
                                : error == EEXIST ? absl::StatusCode::kAlreadyExists
                                                  : absl::StatusCode::kFailedPrecondition;
  return MakeStatus(code,
                    "cannot " + std::string(what) + " " + path.string() + ": " + strerror(error));
}

// A new name is on the disk when its folder is.
absl::Status SyncFolder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.ok() || fsync(descriptor.get()) != 0) return Failed("write", folder, errno);
  return absl::OkStatus();
}

absl::Status WriteAndSync(const std::filesystem::path& path, const Secret& content) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.ok()) return Failed("make", path, errno);
  const std::string& bytes = content.Reveal();
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t put = write(file.get(), bytes.data() + written, bytes.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Failed("write", path, errno);
    written += static_cast<std::size_t>(put);
  }
  return fsync(file.get()) == 0 ? absl::OkStatus() : Failed("write", path, errno);
}

std::filesystem::path DraftOf(const std::filesystem::path& path) {
  return path.string() + ".new-" + std::to_string(getpid());
}

}  // namespace

absl::StatusOr<Secret> ReadSmallFile(const std::filesystem::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return Failed("read", path, errno);
  std::string content(kMaxFile + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxFile) return Failed("read", path, EFBIG);
  Secret result(content.substr(0, size));
  WipeString(content);
  return result;
}

absl::StatusOr<std::string> ReadCertificates(std::string_view flag,
                                             const std::filesystem::path& path) {
  if (path.empty()) return std::string();
  const auto content = ReadSmallFile(path);
  if (!content.ok())
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      std::string(flag) + ": " + std::string(Message(content.status())));
  if (content->Reveal().find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      std::string(flag) + ": " + path.string() + " holds no certificate in PEM");
  }
  return content->Reveal();
}

absl::Status WriteNewSecretFile(const std::filesystem::path& path, const Secret& content) {
  // Written under another name first: a file that a crash left half written would pass for a key.
  const std::filesystem::path draft = DraftOf(path);
  unlink(draft.c_str());
  RETURN_IF_ERROR(WriteAndSync(draft, content));
  const int linked = link(draft.c_str(), path.c_str());
  const int error = errno;
  unlink(draft.c_str());
  if (linked != 0 && (error == EPERM || error == EOPNOTSUPP || error == ENOSYS)) {
    // A file system without hard links. Not rename: it would replace the key of another start.
    RETURN_IF_ERROR(WriteAndSync(path, content));
  } else if (linked != 0) {
    return Failed("make", path, error);
  }
  return SyncFolder(path);
}

absl::Status ReplaceSecretFile(const std::filesystem::path& path, const Secret& content) {
  const std::filesystem::path draft = DraftOf(path);
  unlink(draft.c_str());
  RETURN_IF_ERROR(WriteAndSync(draft, content));
  if (rename(draft.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(draft.c_str());
    return Failed("replace", path, error);
  }
  return SyncFolder(path);
}

bool IsReadableByOthers(const std::filesystem::path& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

}  // namespace poller
