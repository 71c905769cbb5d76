#include "core/http/curl/answer_budget.h"

namespace poller {

bool AnswerBudget::Take(const std::string& origin, std::int64_t bytes) {
  absl::MutexLock lock(&mu_);
  const auto found = held_.find(origin);
  const std::int64_t held = (found == held_.end() ? 0 : found->second) + bytes;
  // Written so that nothing overflows: `bytes` is what a server made us ask for.
  if (held > (limit_ - used_ - bytes) / kLeftForOthers) return false;
  used_ += bytes;
  held_[origin] = held;
  return true;
}

void AnswerBudget::Give(const std::string& origin, std::int64_t bytes) {
  absl::MutexLock lock(&mu_);
  used_ -= bytes;
  const auto found = held_.find(origin);
  found->second -= bytes;
  if (found->second == 0) held_.erase(found);
}

std::int64_t AnswerBudget::used() const {
  absl::MutexLock lock(&mu_);
  return used_;
}

}  // namespace poller
