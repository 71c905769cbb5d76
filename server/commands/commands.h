// What pollerd does beside serving.
#pragma once

#include <ostream>

#include "absl/status/status.h"
#include "core/base/random_source.h"
#include "server/options.h"

namespace poller {

// Validates configuration, key and database as a start would, changes nothing, and says what it
// found. The error is the start's.
absl::Status RunCheck(const Options& options, std::ostream& out);
// Prints a new master key.
absl::Status RunKeygen(RandomSource& random, std::ostream& out);

}  // namespace poller
