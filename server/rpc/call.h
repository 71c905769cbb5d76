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

namespace poller::rpc {

// Whether the caller still waits. Thread-safe.
class CallState {
 public:
  bool Cancelled() const {
    absl::MutexLock lock(&mu_);
    return cancelled_;
  }
  // Calls what OnCancel was given, on this thread.
  void Cancel();
  // `hook` is called once, when the call is cancelled, or now if it is already. Null forgets it; a
  // call of it may still be running then.
  void OnCancel(std::function<void()> hook);

 private:
  mutable absl::Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::function<void()> hook_ ABSL_GUARDED_BY(mu_);
};

// Copies refer to the same call.
class Call {
 public:
  Call(std::shared_ptr<CallState> state, Token token)
      : state_(std::move(state)), token_(std::move(token)) {}

  const Token& token() const { return token_; }
  CallState& state() const { return *state_; }
  Actor ActorFor(std::string request_id = {}) const { return {token_.name, std::move(request_id)}; }
  absl::Status Require(Role role, std::string_view what) const {
    return RequireRole(token_.role, role, what);
  }
  // kCancelled if the caller hung up or its deadline has passed: a handler asks before each step
  // that costs something.
  absl::Status StillWanted() const {
    return state_->Cancelled() ? absl::CancelledError("the caller has gone") : absl::OkStatus();
  }

 private:
  std::shared_ptr<CallState> state_;
  Token token_;
};

}  // namespace poller::rpc
