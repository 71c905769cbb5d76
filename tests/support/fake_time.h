// Time under the control of a test.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/base/clock.h"

namespace poller {

// Stands still until told otherwise. Thread-safe.
class FakeClock final : public Clock {
 public:
  // Wall time begins at 2026-01-15 10:30:00 UTC unless given; monotonic time begins at 1000 s, so
  // that a forgotten "zero means never" shows.
  FakeClock();
  explicit FakeClock(absl::Time wall);

  absl::Time Now() const override;
  absl::Duration Monotonic() const override;

  // Time passes: both clocks move.
  void Advance(absl::Duration duration);
  // Somebody sets the machine's clock: the monotonic clock does not notice.
  void SetWall(absl::Time wall);
  void JumpWall(absl::Duration by);

 private:
  mutable absl::Mutex mu_;
  absl::Time wall_ ABSL_GUARDED_BY(mu_);
  absl::Duration mono_ ABSL_GUARDED_BY(mu_) = absl::Seconds(1000);
};

// Runs everything that is ready on `io`, and what becomes ready by it, without waiting. Returns how
// many handlers ran.
std::size_t RunUntilIdle(boost::asio::io_context& io);

// Wakes its sleepers when a test lets time pass. Thread-safe; a coroutine that sleeps here may run
// on any executor.
class FakeSleeper final : public Sleeper {
 public:
  // `clock` outlives the sleeper and is advanced by it. With `io`, which outlives it too and which
  // no other thread runs, every step of Advance also runs what became ready: a task that sleeps 1 s
  // in a loop sees each of its seconds.
  explicit FakeSleeper(FakeClock& clock, boost::asio::io_context* io = nullptr);

  // Lets `duration` pass: for each deadline on the way, in order (those of one instant in the order
  // in which they were asked for), moves the clock to it and wakes its sleeper.
  void Advance(absl::Duration duration);
  // The same up to a reading of Clock::Monotonic. A past one only wakes what is due.
  void AdvanceTo(absl::Duration monotonic);
  // Lets the time up to the next deadline pass. False if nobody sleeps with a deadline.
  bool AdvanceToNext();

  // The earliest deadline (a reading of Clock::Monotonic) somebody waits for.
  std::optional<absl::Duration> NextDeadline() const;
  // How many sleepers wait for a deadline. Those that wait for a notification alone are not seen.
  int Pending() const;
  // Waits in real time until at least `count` do: for tests whose tasks run on other threads. False
  // after `timeout`.
  bool WaitForPending(int count, absl::Duration timeout = absl::Seconds(20)) const;

 protected:
  std::function<void()> After(absl::Duration delay, std::function<void()> due) override;

 private:
  using Key = std::pair<absl::Duration, std::uint64_t>;  // deadline, then order of asking
  // Shared with the functions that forget a call, which may outlive the sleeper.
  struct State {
    mutable absl::Mutex mu;
    std::map<Key, std::function<void()>> waiting ABSL_GUARDED_BY(mu);
    std::uint64_t next ABSL_GUARDED_BY(mu) = 0;
  };
  std::function<void()> TakeDue(absl::Duration now);
  void RunReady();

  FakeClock& clock_;
  boost::asio::io_context* io_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace poller
