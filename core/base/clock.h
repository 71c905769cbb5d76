// Where the time comes from. Nothing else in the program asks the system for it (a lint checks).
#pragma once

#include "absl/time/time.h"

namespace poller {

// One reading of both clocks.
struct Instant {
  absl::Time wall = absl::InfinitePast();
  absl::Duration mono;
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: for what people and other machines read. It can jump in both directions, so no wait
  // and no duration is computed from it.
  virtual absl::Time Now() const = 0;
  // Time since an arbitrary start that never goes backwards and does not follow changes of the
  // system's clock: for waits, backoff and durations. Meaningless to another run of the process.
  virtual absl::Duration Monotonic() const = 0;

  Instant Read() const { return {Now(), Monotonic()}; }
};

// The machine's clocks. Stateless; lives for ever.
const Clock& SystemClock();

}  // namespace poller
