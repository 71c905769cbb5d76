// Calls that must not be done twice, as rows: what was asked for under a request id, and what came
// of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/event.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/vault.h"

namespace poller {

inline constexpr absl::Duration kRequestKept = absl::Hours(24);

// kAlreadyExists (reason REQUEST_ID_REUSED).
absl::Status RequestIdReused();
// The result of the same call made before, if it was within a day; nothing without a request id.
// kAlreadyExists (reason REQUEST_ID_REUSED): the id was used for another request of this kind.
absl::StatusOr<std::optional<std::int64_t>> FindRequest(Database& db, const Vault& vault,
                                                        const std::string& kind, const Actor& actor,
                                                        absl::Time now);
// Removes requests that are too old, at most `limit`; how many.
absl::StatusOr<int> PruneRequests(Database& db, absl::Time now, int limit);
// Nothing is kept for an empty request id.
absl::Status KeepRequest(Database& db, const Vault& vault, const std::string& kind,
                         const Actor& actor, std::int64_t result, absl::Time now);

// The answer that belongs to a request that was kept; empty: none.
absl::StatusOr<std::string> ReadAnswer(Database& db, const std::string& kind, const Actor& actor);
absl::Status WriteAnswer(Database& db, const std::string& kind, const Actor& actor,
                         const std::string& answer);

}  // namespace poller
