#include "server/first_start.h"

#include <filesystem>
#include <system_error>

#include "core/base/status.h"
#include "core/crypto/key_ring.h"
#include "server/files.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

Secret WithNewline(const Secret& secret) { return Secret(secret.Reveal() + "\n"); }

}  // namespace

absl::Status PrepareDataDir(const Options& options, Logger& log) {
  std::error_code error;
  if (fs::is_directory(options.data_dir, error)) return absl::OkStatus();
  fs::create_directories(options.data_dir, error);
  if (!error) fs::permissions(options.data_dir, fs::perms::owner_all, error);
  if (error) {
    return MakeStatus(absl::StatusCode::kFailedPrecondition,
                      "cannot make the data folder " + options.data_dir.string() +
                          " (--data-dir): " + error.message());
  }
  log.Info("made the data folder", {{"folder", options.data_dir.string()}});
  return absl::OkStatus();
}

absl::StatusOr<Secret> LoadKeys(const Options& options, bool new_database, RandomSource& random,
                                Logger& log) {
  const bool from_environment = !options.encryption_key.empty();
  const fs::path path = options.KeyFile();
  absl::StatusOr<Secret> keys = options.encryption_key;
  if (!from_environment) {
    keys = ReadSmallFile(path);
    if (keys.status().code() == absl::StatusCode::kNotFound) {
      if (!new_database) {
        return WithReason(
            MakeStatus(absl::StatusCode::kFailedPrecondition,
                       "the key file " + path.string() + " is missing, and the database " +
                           options.DbPath().string() +
                           " cannot be opened without its key: put the file back, or name it with "
                           "--encryption-key-file"),
            "NO_KEY");
      }
      const Secret key = GenerateMasterKey(random);
      RETURN_IF_ERROR(WriteNewSecretFile(path, WithNewline(key)));
      log.Info("made an encryption key; keep a copy apart from the database",
               {{"file", path.string()}});
      return key;
    }
    RETURN_IF_ERROR(keys);
    if (IsReadableByOthers(path))
      log.Warning("others can read the encryption key: chmod 600", {{"file", path.string()}});
  }
  const auto ring = KeyRing::Parse(*keys);
  if (!ring.ok())
    return AddContext(ring.status(), from_environment ? std::string(kKeyVariable) : path.string());
  return keys;
}

}  // namespace poller
