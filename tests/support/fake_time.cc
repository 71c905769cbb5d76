#include "tests/support/fake_time.h"

#include <algorithm>

#include "absl/time/civil_time.h"

namespace poller {

FakeClock::FakeClock()
    : FakeClock(absl::FromCivil(absl::CivilSecond(2026, 1, 15, 10, 30, 0), absl::UTCTimeZone())) {}

FakeClock::FakeClock(absl::Time wall) : wall_(wall) {}

absl::Time FakeClock::Now() const {
  absl::MutexLock lock(&mu_);
  return wall_;
}

absl::Duration FakeClock::Monotonic() const {
  absl::MutexLock lock(&mu_);
  return mono_;
}

void FakeClock::Advance(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  wall_ += duration;
  mono_ += duration;
}

void FakeClock::SetWall(absl::Time wall) {
  absl::MutexLock lock(&mu_);
  wall_ = wall;
}

void FakeClock::JumpWall(absl::Duration by) {
  absl::MutexLock lock(&mu_);
  wall_ += by;
}

std::size_t RunUntilIdle(boost::asio::io_context& io) {
  std::size_t total = 0;
  while (true) {
    io.restart();
    const std::size_t ran = io.poll();
    if (ran == 0) return total;
    total += ran;
  }
}

FakeSleeper::FakeSleeper(FakeClock& clock, boost::asio::io_context* io) : clock_(clock), io_(io) {}

void FakeSleeper::Advance(absl::Duration duration) { AdvanceTo(clock_.Monotonic() + duration); }

void FakeSleeper::AdvanceTo(absl::Duration monotonic) {
  RunReady();
  while (true) {
    const std::optional<absl::Duration> next = NextDeadline();
    if (!next || *next > std::max(monotonic, clock_.Monotonic())) break;
    clock_.Advance(std::max(*next - clock_.Monotonic(), absl::ZeroDuration()));
    if (const auto due = TakeDue(clock_.Monotonic())) due();
    RunReady();
  }
  clock_.Advance(std::max(monotonic - clock_.Monotonic(), absl::ZeroDuration()));
}

bool FakeSleeper::AdvanceToNext() {
  RunReady();
  const std::optional<absl::Duration> next = NextDeadline();
  if (next) AdvanceTo(*next);
  return next.has_value();
}

std::optional<absl::Duration> FakeSleeper::NextDeadline() const {
  absl::MutexLock lock(&state_->mu);
  if (state_->waiting.empty()) return std::nullopt;
  return state_->waiting.begin()->first.first;
}

int FakeSleeper::Pending() const {
  absl::MutexLock lock(&state_->mu);
  return static_cast<int>(state_->waiting.size());
}

bool FakeSleeper::WaitForPending(int count, absl::Duration timeout) const {
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) {
    return static_cast<int>(state_->waiting.size()) >= count;
  };
  absl::MutexLock lock(&state_->mu);
  return state_->mu.AwaitWithTimeout(absl::Condition(&enough), timeout);
}

std::function<void()> FakeSleeper::After(absl::Duration delay, std::function<void()> due) {
  if (delay <= absl::ZeroDuration()) {
    due();
    return nullptr;
  }
  const absl::Duration deadline = clock_.Monotonic() + delay;
  absl::MutexLock lock(&state_->mu);
  const Key key{deadline, state_->next++};
  state_->waiting.emplace(key, std::move(due));
  return [state = state_, key] {
    absl::MutexLock forget(&state->mu);
    state->waiting.erase(key);
  };
}

std::function<void()> FakeSleeper::TakeDue(absl::Duration now) {
  absl::MutexLock lock(&state_->mu);
  const auto first = state_->waiting.begin();
  if (first == state_->waiting.end() || first->first.first > now) return nullptr;
  std::function<void()> due = std::move(first->second);
  state_->waiting.erase(first);
  return due;
}

void FakeSleeper::RunReady() {
  if (io_ != nullptr) RunUntilIdle(*io_);
}

}  // namespace poller
