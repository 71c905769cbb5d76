// Chance under the control of a test.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/base/random_source.h"

namespace poller {

// Draws what the script says, then `otherwise` for ever (0.5: the middle, no jitter). Bytes are
// consecutive 64-bit numbers over all calls, so that no two fills are equal. Thread-safe.
class FakeRandom final : public RandomSource {
 public:
  explicit FakeRandom(std::initializer_list<double> script = {}, double otherwise = 0.5)
      : script_(script), otherwise_(otherwise) {}

  double Unit() override {
    absl::MutexLock lock(&mu_);
    if (script_.empty()) return otherwise_;
    const double draw = script_.front();
    script_.pop_front();
    return draw;
  }
  void Fill(std::span<std::uint8_t> out) override {
    absl::MutexLock lock(&mu_);
    // A number over 8 bytes, lowest first: repeats only after 2^64 of them.
    for (std::uint8_t& byte : out) {
      byte = static_cast<std::uint8_t>(number_ >> (8 * position_));
      position_ = (position_ + 1) % 8;
      if (position_ == 0) ++number_;
    }
    // The next fill begins with a new number.
    if (position_ != 0) {
      position_ = 0;
      ++number_;
    }
  }
  // Appends to the script.
  void Push(double draw) {
    absl::MutexLock lock(&mu_);
    script_.push_back(draw);
  }

 private:
  absl::Mutex mu_;
  std::deque<double> script_ ABSL_GUARDED_BY(mu_);
  const double otherwise_;
  std::uint64_t number_ ABSL_GUARDED_BY(mu_) = 0;
  unsigned position_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace poller
