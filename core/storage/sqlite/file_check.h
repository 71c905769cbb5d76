// Whose file it is, found out without writing a byte to it or beside it.
#pragma once

#include <filesystem>

#include "absl/status/status.h"

namespace poller {

// OK: ours, with a schema that we know. kFailedPrecondition (reason NOT_OURS, PYTHON_POLLER,
// NEWER_SCHEMA or IS_BACKUP), kUnavailable, kDataLoss. `path` exists and is not empty.
absl::Status CheckFile(const std::filesystem::path& path);

}  // namespace poller
