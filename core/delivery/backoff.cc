#include "core/delivery/backoff.h"

#include <algorithm>

namespace poller {

absl::Duration RetryDelay(const BackoffOptions& options, int attempt, double unit) {
  absl::Duration wait = std::min(options.base, options.max);
  for (int i = 1; i < attempt && wait < options.max; ++i) wait = std::min(wait * 2, options.max);
  return wait * (1 + options.jitter * (2 * unit - 1));
}

}  // namespace poller
