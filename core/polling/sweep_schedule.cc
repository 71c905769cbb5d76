#include "core/polling/sweep_schedule.h"

#include <algorithm>

namespace poller {

bool SweepSchedule::NeedsPlace(const ConnectionState& state) const {
  return due_ == absl::InfiniteDuration() && state.HasBegun();
}

void SweepSchedule::Place(const ConnectionState& state, absl::Duration now, double unit) {
  const absl::Time last = std::max(state.sweep_mark, state.started);
  const absl::Duration left =
      std::clamp(last + timing_.interval - state.mark, absl::ZeroDuration(), timing_.interval);
  const bool overdue = left == absl::ZeroDuration();
  due_ = now + (overdue ? timing_.interval / 4 * unit : left);
}

absl::Duration SweepSchedule::Wait(absl::Duration now) const {
  return std::max(absl::ZeroDuration(), due_ - now);
}

void SweepSchedule::Ended(bool complete, absl::Duration start, absl::Duration now, double unit) {
  const double spread = 1 + timing_.jitter * (2 * unit - 1);
  due_ = complete ? start + timing_.interval * spread : now + timing_.interval / 12 * spread;
}

}  // namespace poller
