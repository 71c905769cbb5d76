// The memory for answers. Included by this folder's .cc files alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace poller {

// Bytes that all answers in memory may hold together, shared fairly between the servers that send
// them: no origin may hold more than a quarter of what is left free beside it (a dynamic threshold,
// as switches share their buffers). One alone gets a fifth of all; eight greedy ones a twelfth each,
// and a third of all is left to others. Whatever is held, a newcomer gets a fifth of the rest.
// Thread-safe.
class AnswerBudget {
 public:
  explicit AnswerBudget(std::int64_t bytes) : limit_(bytes) {}

  // An answer larger than that could never be held.
  std::int64_t Largest() const { return limit_ / (kLeftForOthers + 1); }
  // False, and nothing is taken, if the origin's share does not suffice.
  bool Take(const std::string& origin, std::int64_t bytes);
  void Give(const std::string& origin, std::int64_t bytes);
  std::int64_t used() const;

 private:
  static constexpr std::int64_t kLeftForOthers = 4;  // times what an origin holds

  const std::int64_t limit_;
  mutable absl::Mutex mu_;
  std::int64_t used_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, std::int64_t> held_ ABSL_GUARDED_BY(mu_);  // by origin, not 0
};

// What one answer holds of the budget, given back on destruction.
class BudgetLease {
 public:
  BudgetLease() = default;
  BudgetLease(std::shared_ptr<AnswerBudget> budget, std::string origin)
      : budget_(std::move(budget)), origin_(std::move(origin)) {}
  BudgetLease(BudgetLease&& other) noexcept { *this = std::move(other); }
  BudgetLease& operator=(BudgetLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(origin_, other.origin_);
    std::swap(held_, other.held_);
    return *this;
  }
  ~BudgetLease() {
    if (held_ > 0) budget_->Give(origin_, held_);
  }

  // False, and nothing is taken, if that many bytes are not left for the origin.
  bool Grow(std::int64_t bytes) {
    if (!budget_->Take(origin_, bytes)) return false;
    held_ += bytes;
    return true;
  }

 private:
  std::shared_ptr<AnswerBudget> budget_;
  std::string origin_;
  std::int64_t held_ = 0;
};

}  // namespace poller
