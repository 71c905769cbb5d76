// The durable log of what happened.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/event.h"

namespace poller {

// Thread-safe. Blocking: call through Offload.
class EventLog {
 public:
  virtual ~EventLog() = default;
  // Up to `limit` events with a sequence greater than `after`, rising, unfiltered. A reader that
  // has seen n never later sees a smaller one: a sequence becomes visible only together with all
  // smaller ones.
  virtual absl::StatusOr<std::vector<SyncEvent>> Read(EventSequence after, int limit) = 0;
  virtual absl::StatusOr<EventRange> Range() = 0;
  // For what happens outside the other stores' transactions.
  virtual absl::StatusOr<EventSequence> Append(const SyncEvent& event) = 0;
  // Called, on any thread and under no lock of ours, after a commit that wrote events. A hint:
  // readers must not depend on it. At most one listener; set it before the first write and clear it
  // (nullptr) before it dies.
  virtual void SetListener(std::function<void()> listener) = 0;
  // Deletes events older than `before`, at most `limit`; returns how many. The newest event always
  // stays.
  virtual absl::StatusOr<int> Prune(absl::Time before, int limit) = 0;
};

}  // namespace poller
