// The database that a command works on while no server runs.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "server/options.h"

namespace poller {

// Opens the database that the options name, with its keys. `create`: it is new, and is made, with a
// key if there is none. `clock`, `random` and `metrics` outlive the result. Errors: those of
// SqliteStorage::CheckOurs, LoadKeys and SqliteStorage::Open (a server that runs holds it).
absl::StatusOr<std::unique_ptr<SqliteStorage>> OpenDatabase(const Options& options, bool create,
                                                            const Clock& clock,
                                                            RandomSource& random, Metrics& metrics,
                                                            Logger& log);

}  // namespace poller
