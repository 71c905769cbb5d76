// pollerd check.
#pragma once

#include "absl/status/status.h"
#include "core/base/log.h"
#include "server/options.h"

namespace poller {

// Opens what a start would open, makes nothing, and prints one line for each thing that is well. An
// error says what is not.
absl::Status RunCheck(const Options& options, Logger& log);

}  // namespace poller
