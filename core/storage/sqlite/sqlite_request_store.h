// RequestStore on SQLite.
#pragma once

#include <optional>
#include <string>

#include "core/storage/request_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteRequestStore final : public RequestStore {
 public:
  explicit SqliteRequestStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<std::optional<std::string>> Find(const std::string& kind, const Actor& actor,
                                                  absl::Time now) override;
  absl::Status Keep(const std::string& kind, const Actor& actor, const std::string& answer,
                    absl::Time now) override;
  absl::StatusOr<int> Prune(absl::Time now, int limit) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller
