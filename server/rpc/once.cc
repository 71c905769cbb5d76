#include "server/rpc/once.h"

#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller::rpc {

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() > kMaxRequestId)
    return InvalidFields({{"request_id", "is longer than 100 characters"}});
  if (SafeText(request_id, kMaxRequestId + 1) != request_id) {
    return InvalidFields({{"request_id", "must be text without control characters"}});
  }
  return absl::OkStatus();
}

Task<absl::StatusOr<std::optional<std::string>>> Once::Begin(std::string kind, Actor actor) {
  const Key key(kind, actor.token, actor.request_id);
  if (!Enter(key)) {
    co_return WithReason(
        absl::AbortedError("the first call with this request id still runs; repeat in a moment"),
        "REQUEST_RUNNING");
  }
  auto find = [this, kind, actor] { return store_.Find(kind, actor, clock_.Now()); };
  auto known = co_await Offload(storage_pool_, std::move(find));
  if (!known.ok() || *known) Leave(key);
  co_return known;
}

Task<void> Once::Finish(std::string kind, Actor actor, std::optional<std::string> answer) {
  const Key key(kind, actor.token, actor.request_id);
  if (answer) {
    auto keep = [this, kind, actor, answer] {
      return store_.Keep(kind, actor, *answer, clock_.Now());
    };
    const absl::Status kept = co_await Offload(storage_pool_, std::move(keep));
    kept.IgnoreError();
  }
  Leave(key);
}

bool Once::Enter(const Key& key) {
  absl::MutexLock lock(&mu_);
  return running_.insert(key).second;
}

void Once::Leave(const Key& key) {
  absl::MutexLock lock(&mu_);
  running_.erase(key);
}

}  // namespace poller::rpc
