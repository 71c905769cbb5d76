// EventLog on SQLite.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/storage/event_log.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteEventLog final : public EventLog {
 public:
  SqliteEventLog(const StoreContext& context, std::string log_id)
      : context_(context), log_id_(std::move(log_id)) {}
  absl::StatusOr<std::vector<SyncEvent>> Read(EventSequence after, int limit) override;
  absl::StatusOr<EventRange> Range() override;
  absl::StatusOr<EventSequence> Append(const SyncEvent& event) override;
  void SetListener(std::function<void()> listener) override;
  absl::StatusOr<int> Prune(absl::Time before, int limit) override;

 private:
  const StoreContext& context_;
  const std::string log_id_;
};

}  // namespace poller
