// Small files that hold secrets or certificates.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/secret.h"

namespace poller {

// The whole file, at most 1 MiB. kNotFound if there is none; other errors name the file and the
// cause.
absl::StatusOr<Secret> ReadSmallFile(const std::filesystem::path& path);
// A file of certificates for the setting `flag`; empty if `path` is. kInvalidArgument names flag
// and file.
absl::StatusOr<std::string> ReadCertificates(std::string_view flag,
                                             const std::filesystem::path& path);
// Makes a file that did not exist, readable by its owner alone, and on the disk when this returns.
// kAlreadyExists; other errors name the cause.
absl::Status WriteNewSecretFile(const std::filesystem::path& path, const Secret& content);
// The same where a file may be there already: it is replaced as a whole, and never seen half written.
absl::Status ReplaceSecretFile(const std::filesystem::path& path, const Secret& content);
// True if others than the owner may read it.
bool IsReadableByOthers(const std::filesystem::path& path);

}  // namespace poller
