// What is kept of orders and deliveries that are over.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace poller {

// Thread-safe. Blocking: call through Offload. kUnavailable: busy or disk full, safe to repeat.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  // Forgets revisions that came to their end before `before` and are delivered, superseded,
  // discarded, withdrawn or baseline; at most `limit`, oldest first; returns how many it dealt with.
  // Less than `limit`: nothing more is old. Of an order's newest revision, and of the one whose
  // content an announcement of its cancellation would repeat, only the attempts go; others go
  // whole. What is pending, dead or in flight stays as it is. Nothing that is decided or sent later
  // becomes another for it.
  virtual absl::StatusOr<int> Prune(absl::Time before, int limit) = 0;
};

}  // namespace poller
