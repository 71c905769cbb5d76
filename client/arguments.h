// Arguments that people type, checked in words they understand.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace poller::client {

// For ->check(): a whole number from `least` to `most`. `what` says in the error what is meant, and
// where it is found: "the number of a job, as pollerctl jobs lists them"; empty: the range.
CLI::Validator WholeNumber(std::int64_t least, std::string what = "",
                           std::int64_t most = std::numeric_limits<std::int64_t>::max());
// Of a list: from 1.
inline CLI::Validator Count() { return WholeNumber(1); }

// A time, or how long ago: "2026-01-31", "2026-01-31T10:00:00Z", "7d". kInvalidArgument says what is
// accepted.
absl::StatusOr<absl::Time> ParseTimeOrAge(const std::string& text, absl::Time now);

}  // namespace poller::client
