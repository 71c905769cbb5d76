// How long to wait before a delivery is tried again.
#pragma once

#include "absl/time/time.h"

namespace poller {

struct BackoffOptions {
  absl::Duration base = absl::Seconds(30);
  absl::Duration max = absl::Seconds(600);
  double jitter = 0.1;
};

// Wait before retry `attempt` (1 = first): base * 2^(attempt-1), at most `max`, spread by ±jitter.
// `unit` in [0, 1) is the random draw: 0 gives the shortest wait. Pure; thread-safe.
absl::Duration RetryDelay(const BackoffOptions& options, int attempt, double unit);

}  // namespace poller
