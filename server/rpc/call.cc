#include "server/rpc/call.h"

namespace poller::rpc {

void CallState::EndWith(absl::Status status) {
  std::function<void()> hook;
  {
    absl::MutexLock lock(&mu_);
    if (!end_.ok()) return;
    end_ = std::move(status);
    hook = std::move(hook_);
    hook_ = nullptr;
  }
  if (cut_) cut_();
  if (hook) hook();
}

void CallState::OnCancel(std::function<void()> hook) {
  {
    absl::MutexLock lock(&mu_);
    if (end_.ok()) {
      hook_ = std::move(hook);
      return;
    }
  }
  if (hook) hook();
}

}  // namespace poller::rpc
