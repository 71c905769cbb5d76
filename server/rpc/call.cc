#include "server/rpc/call.h"

namespace poller::rpc {

void CallState::Cancel() {
  std::function<void()> hook;
  {
    absl::MutexLock lock(&mu_);
    cancelled_ = true;
    hook = std::move(hook_);
    hook_ = nullptr;
  }
  if (hook) hook();
}

void CallState::OnCancel(std::function<void()> hook) {
  {
    absl::MutexLock lock(&mu_);
    if (!cancelled_) {
      hook_ = std::move(hook);
      return;
    }
  }
  if (hook) hook();
}

}  // namespace poller::rpc
