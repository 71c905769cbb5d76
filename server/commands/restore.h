// `pollerd restore FILE`.
#pragma once

#include <filesystem>

#include "absl/status/status.h"
#include "core/base/log.h"
#include "server/options.h"

namespace poller {

// Puts the backup in the place of the database, which no program may have open, and says on stdout
// what it did and what happens next. Errors: RestoreDatabase, LoadKeys.
absl::Status RunRestore(const std::filesystem::path& backup, const Options& options, Logger& log);

}  // namespace poller
