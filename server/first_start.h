// What must be there before the first call: the data folder and the key.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/log.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"
#include "server/options.h"

namespace poller {

// Makes the data folder (for its owner alone) if it is missing, and says so.
absl::Status PrepareDataDir(const Options& options, Logger& log);

// The master keys: those of the environment, or of the key file. A key file is made only together
// with a new database, because a new key opens no old one. kFailedPrecondition (reason NO_KEY)
// names the file that is missing.
absl::StatusOr<Secret> LoadKeys(const Options& options, bool new_database, RandomSource& random,
                                Logger& log);

}  // namespace poller
