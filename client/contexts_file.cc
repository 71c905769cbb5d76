#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "client/channel.h"
#include "client/contexts.h"
#include "core/base/status.h"

namespace poller::client {
namespace {

namespace fs = std::filesystem;

absl::Status CannotWrite(const std::string& path, const std::string& why) {
  return MakeStatus(absl::StatusCode::kInternal, fmt::format("cannot write {}: {}", path, why));
}

absl::Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return MakeStatus(absl::StatusCode::kInternal, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (fsync(fd) != 0) return MakeStatus(absl::StatusCode::kInternal, std::strerror(errno));
  return absl::OkStatus();
}

// Folders that are missing, for their owner alone.
absl::Status MakeFolders(const fs::path& folder) {
  if (folder.empty() || fs::exists(folder)) return absl::OkStatus();
  RETURN_IF_ERROR(MakeFolders(folder.parent_path()));
  std::error_code error;
  if (fs::create_directory(folder, error)) {
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  return error ? CannotWrite(folder, error.message()) : absl::OkStatus();
}

}  // namespace

std::string ContextsPath(const Environment& env) {
  // The specification of XDG: a path that is not absolute is to be ignored.
  const std::string config = env("XDG_CONFIG_HOME").value_or("");
  if (config.starts_with('/')) return config + "/pollerctl/config.toml";
  const std::string home = env("HOME").value_or("");
  return home.empty() ? "" : home + "/.config/pollerctl/config.toml";
}

absl::StatusOr<Contexts> LoadContexts(const std::string& path, const std::string& home) {
  std::error_code error;
  if (!fs::exists(path, error) && !error) return Contexts();
  auto text = ReadFile(path);
  if (!text.ok()) return MakeStatus(absl::StatusCode::kPermissionDenied, Message(text.status()));
  return ParseContexts(*text, path, home);
}

absl::Status SaveContexts(const std::string& path, const Contexts& contexts) {
  std::error_code error;
  // A link is followed: people keep such files elsewhere.
  fs::path target = fs::weakly_canonical(path, error);
  if (error) target = path;
  RETURN_IF_ERROR(MakeFolders(target.parent_path()));
  std::string temporary = target.string() + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // 0600
  if (fd < 0) return CannotWrite(path, std::strerror(errno));
  absl::Status written = WriteAll(fd, FormatContexts(contexts));
  close(fd);
  if (written.ok() && rename(temporary.c_str(), target.c_str()) != 0)
    written = MakeStatus(absl::StatusCode::kInternal, std::strerror(errno));
  if (written.ok()) return written;
  unlink(temporary.c_str());
  return CannotWrite(path, std::string(Message(written)));
}

}  // namespace poller::client
