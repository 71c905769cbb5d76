// Calls that are done once, however often they are repeated under one request id.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/model/event.h"
#include "core/storage/request_store.h"

namespace poller::rpc {

// The longest `request_id`, in bytes.
inline constexpr std::size_t kMaxRequestId = 100;
// kInvalidArgument names request_id.
absl::Status CheckRequestId(const std::string& request_id);

// For calls whose answer holds no secret and whose repeat their own store does not know. Answers
// are kept for 24 h, also over a restart; a call that a crash cut short may be done again. Errors
// are not kept: a repeat tries again. Thread-safe. Collaborators outlive it.
class Once {
 public:
  Once(RequestStore& store, const Clock& clock, Executor storage_pool)
      : store_(store), clock_(clock), storage_pool_(std::move(storage_pool)) {}

  // Nothing: act, then Finish. An answer: give it. kAlreadyExists (reason REQUEST_ID_REUSED): the
  // id was used for another request; kAborted (reason REQUEST_RUNNING): the first call still runs.
  // `kind` names the RPC; actor.request_id is not empty.
  Task<absl::StatusOr<std::optional<std::string>>> Begin(std::string kind, Actor actor);
  // `answer`: unset if the call failed. That it cannot be stored is no error: the call was done.
  Task<void> Finish(std::string kind, Actor actor, std::optional<std::string> answer);

 private:
  using Key = std::tuple<std::string, TokenId, std::string>;  // kind, token, request id
  bool Enter(const Key& key);
  void Leave(const Key& key);

  RequestStore& store_;
  const Clock& clock_;
  const Executor storage_pool_;
  absl::Mutex mu_;
  std::set<Key> running_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::rpc
