// What a handler knows of the call that it serves.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/model/event.h"
#include "core/storage/token_store.h"
#include "server/rpc/access.h"
#include "server/rpc/message_digest.h"
#include "server/rpc/token_calls.h"

namespace poller::rpc {

// Whether the call is to go on. Thread-safe.
class CallState {
 public:
  // `cut`, if any, is called when the call is ended, before the hook, on that thread: it makes what
  // gRPC still does for the call end too.
  explicit CallState(std::function<void()> cut = nullptr) : cut_(std::move(cut)) {}
  // Why it is not; OK: it is.
  absl::Status End() const {
    absl::MutexLock lock(&mu_);
    return end_;
  }
  // The caller has gone. Calls what OnCancel was given, on this thread.
  void Cancel() { EndWith(absl::CancelledError("the caller has gone")); }
  // The same, with what the caller is told. Only the first counts.
  void EndWith(absl::Status status);
  // `hook` is called once, when the call is cancelled, or now if it is already. Null forgets it; a
  // call of it may still be running then.
  void OnCancel(std::function<void()> hook);

 private:
  const std::function<void()> cut_;
  mutable absl::Mutex mu_;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  std::function<void()> hook_ ABSL_GUARDED_BY(mu_);
};

inline constexpr std::size_t kRequestDigestBytes = 32;

// Copies refer to the same call.
class Call {
 public:
  // `place` is given up when the last copy goes.
  Call(std::shared_ptr<CallState> state, Token token, TokenCalls::Place place = nullptr)
      : state_(std::move(state)), token_(std::move(token)), place_(std::move(place)) {}

  const Token& token() const { return token_; }
  CallState& state() const { return *state_; }
  Actor ActorFor() const { return {token_.name, {}, {}, token_.id}; }
  // The same for a request that may be repeated: it has a `request_id`.
  template <class Request>
  Actor ActorFor(const Request& request) const {
    return {token_.name, request.request_id(),
            MessageDigest(request, kRequestDigestBytes) + std::to_string(token_.id.value()),
            token_.id};
  }
  absl::Status Require(Role role, std::string_view what) const {
    return RequireRole(token_.role, role, what);
  }
  // kCancelled if the caller hung up or its deadline has passed, kUnauthenticated if its token was
  // revoked: a handler asks before each step that costs something.
  absl::Status StillWanted() const { return state_->End(); }
  // The same for work that takes a function to ask. It keeps the call's place.
  std::function<absl::Status()> Wanted() const {
    return [call = *this] { return call.StillWanted(); };
  }

 private:
  std::shared_ptr<CallState> state_;
  Token token_;
  TokenCalls::Place place_;
};

}  // namespace poller::rpc
