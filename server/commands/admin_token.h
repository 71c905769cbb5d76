// `pollerd admin-token`.
#pragma once

#include "absl/status/status.h"
#include "core/base/log.h"
#include "server/options.h"

namespace poller {

// For who owns the data folder and has no valid token of an administrator left: makes one and writes
// it to the token file. Says on stdout what it did. Errors: kNotFound (there is no database yet),
// RenewAdminToken, LoadKeys, SqliteStorage::Open (a server that runs holds the database).
absl::Status RunAdminToken(const Options& options, Logger& log);

}  // namespace poller
