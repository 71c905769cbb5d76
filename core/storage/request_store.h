// Answers that are given again to a repeated request.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/event.h"

namespace poller {

// For calls whose repeat must not act twice, and whose own store does not see to it. Thread-safe.
// Blocking.
class RequestStore {
 public:
  virtual ~RequestStore() = default;
  // What the call of `kind` answered that was made before with actor.request_id by the same token,
  // if it was within 24 h. kAlreadyExists (reason REQUEST_ID_REUSED): it was another request.
  virtual absl::StatusOr<std::optional<std::string>> Find(const std::string& kind,
                                                          const Actor& actor, absl::Time now) = 0;
  // Keeps the answer for 24 h. It is not sealed: no secret, no payload.
  virtual absl::Status Keep(const std::string& kind, const Actor& actor, const std::string& answer,
                            absl::Time now) = 0;
  // Removes what was kept for its 24 h, also by other stores, at most `limit`; how many.
  virtual absl::StatusOr<int> Prune(absl::Time now, int limit) = 0;
};

}  // namespace poller
