#include "core/polling/ingest_lane.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <list>
#include <optional>
#include <utility>

#include "core/async/one_shot.h"
#include "core/base/url.h"

namespace poller {

struct IngestLane::Guard::State {
  absl::Mutex mu;
  bool held ABSL_GUARDED_BY(mu) = false;
  // By priority. Lists, because an empty deque holds 600 bytes, and nearly all are empty.
  std::array<std::list<OneShot<bool>>, 3> waiting ABSL_GUARDED_BY(mu);
  absl::Duration last_call ABSL_GUARDED_BY(mu) = -absl::InfiniteDuration();
};

IngestLane::Guard& IngestLane::Guard::operator=(Guard&& other) noexcept {
  if (this != &other) {
    Release();
    state_ = std::move(other.state_);
  }
  return *this;
}

void IngestLane::Guard::Release() {
  if (!state_) return;
  const std::shared_ptr<State> state = std::exchange(state_, nullptr);
  std::optional<OneShot<bool>> next;
  {
    absl::MutexLock lock(&state->mu);
    for (auto& queue : state->waiting) {
      if (queue.empty()) continue;
      next = std::move(queue.front());
      queue.pop_front();
      break;
    }
    // With somebody waiting the lane stays held: it passes from hand to hand, and nobody can cut in
    // between.
    if (!next.has_value()) state->held = false;
  }
  if (next.has_value()) next->Set(true);
}

IngestLane::IngestLane() : state_(std::make_shared<Guard::State>()) {}

Task<IngestLane::Guard> IngestLane::Acquire(LanePriority priority) {
  auto state = state_;
  std::optional<OneShot<bool>> turn;
  {
    absl::MutexLock lock(&state->mu);
    if (state->held) {
      turn.emplace();
      state->waiting[static_cast<std::size_t>(priority)].push_back(*turn);
    } else {
      state->held = true;
    }
  }
  if (turn.has_value()) co_await turn->Get();
  co_return Guard(std::move(state));
}

absl::Duration IngestLane::ReserveCall(absl::Duration gap, absl::Duration now) {
  absl::MutexLock lock(&state_->mu);
  const absl::Duration start = std::max(now, state_->last_call + gap);
  state_->last_call = start;
  return start - now;
}

std::shared_ptr<IngestLane> LaneRegistry::For(const std::string& url, const std::string& database) {
  const auto parsed = ParseUrl(url);
  const std::string key = (parsed.ok() ? parsed->Origin() : url) + '\n' + database;
  absl::MutexLock lock(&mu_);
  std::weak_ptr<IngestLane>& slot = lanes_[key];
  if (auto lane = slot.lock()) return lane;
  std::erase_if(lanes_,
                [&](const auto& entry) { return entry.first != key && entry.second.expired(); });
  auto lane = std::make_shared<IngestLane>();
  lanes_[key] = lane;
  return lane;
}

}  // namespace poller
