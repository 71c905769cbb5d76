#include "core/polling/background_work.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/pass_verdict.h"
#include "core/polling/sweep.h"

namespace poller {
namespace {

constexpr absl::Duration kStoreRetry = absl::Seconds(10);  // when our own store does not answer

}  // namespace

BackgroundWork::BackgroundWork(const PollerContext& context, ConnectionId connection, Host host)
    : context_(context),
      host_(std::move(host)),
      sweeps_(
          {.interval = context.options.sweep_interval, .jitter = context.options.interval_jitter}),
      jobs_(context, connection) {}

void BackgroundWork::Load(const ConnectionWithState& connection) {
  const absl::Duration now = context_.ingest.clock.Monotonic();
  absl::MutexLock lock(&mu_);
  // Moved to another Odoo: it is swept once it has begun there, or its history would be delivered.
  if (!connection.state.HasBegun()) {
    polled_ = false;
    sweeps_.Forget();
    return;
  }
  // The mark tells how long ago the last sweep was once it is of this run.
  if (!polled_) return;
  if (sweeps_.NeedsPlace(connection.state)) {
    sweeps_.Place(connection.state, now, context_.random.Unit());
  }
  // After a restore deliveries wait for a complete sweep.
  const bool held = connection.state.held_since.has_value();
  if (held && !hurried_) sweeps_.Hurry(now);
  hurried_ = held;
}

void BackgroundWork::Polled() {
  absl::MutexLock lock(&mu_);
  polled_ = true;
}

void BackgroundWork::JobsChanged() {
  jobs_.Changed();
  wakeup_.Notify();
}

bool BackgroundWork::SweepIsDue() const { return SweepWait() == absl::ZeroDuration(); }

// What is held goes on after a poll, and then somebody asks again.
absl::Duration BackgroundWork::SweepWait() const {
  if (!host_.held_by().empty()) return absl::InfiniteDuration();
  absl::MutexLock lock(&mu_);
  if (!polled_) return absl::InfiniteDuration();
  return sweeps_.Wait(context_.ingest.clock.Monotonic());
}

absl::Duration BackgroundWork::Wait() const {
  {
    absl::MutexLock lock(&mu_);
    if (running_) return absl::InfiniteDuration();
  }
  return jobs_.HasWork() ? absl::ZeroDuration() : SweepWait();
}

bool BackgroundWork::Begin() {
  absl::MutexLock lock(&mu_);
  return !std::exchange(running_, true);
}

Task<void> BackgroundWork::Run() {
  while (!context_.ingest.stopping()) {
    const bool sweep = SweepIsDue();
    if (!sweep && !jobs_.HasWork()) break;
    absl::Duration wait;
    if (sweep) {
      wait = co_await RunSweep();
    } else {
      wait = co_await JobStep();
    }
    if (wait == absl::InfiniteDuration()) break;
    if (wait <= absl::ZeroDuration()) continue;
    co_await context_.sleeper.Sleep(std::min(wait, SweepWait()), &wakeup_);
  }
  absl::MutexLock lock(&mu_);
  running_ = false;
}

Task<absl::Duration> BackgroundWork::JobStep() {
  auto connection = co_await host_.load();
  if (absl::IsNotFound(connection.status())) co_return absl::InfiniteDuration();
  if (!connection.ok()) co_return kStoreRetry;
  JobRunner::Turn turn;
  turn.subject = host_.subject(std::move(*connection));
  turn.held_by = host_.held_by();
  turn.undecided = host_.undecided;
  turn.hold = host_.hold;
  co_return co_await jobs_.Step(std::move(turn));
}

void BackgroundWork::SweepEnded(bool complete, absl::Duration start) {
  absl::MutexLock lock(&mu_);
  sweeps_.Ended(complete, start, context_.ingest.clock.Monotonic(), context_.random.Unit());
}

Task<absl::Duration> BackgroundWork::RunSweep() {
  auto connection = co_await host_.load();
  if (absl::IsNotFound(connection.status())) co_return absl::InfiniteDuration();
  if (!connection.ok()) co_return kStoreRetry;
  if (!connection->state.HasBegun()) co_return absl::ZeroDuration();
  const ConnectionId id = connection->connection.id;
  const absl::Duration start = context_.ingest.clock.Monotonic();
  OrderIngest::Manner manner;
  manner.priority = LanePriority::kBackground;
  OrderIngest ingest(context_.ingest, context_.options, host_.subject(std::move(*connection)),
                     std::move(manner));
  Sweep sweep(context_.options, ingest);
  const absl::Status end = co_await sweep.Run();
  host_.undecided(ingest.undecided());
  // It is due again at once, under the new settings or when polls run again.
  if (IsInterruption(end)) co_return absl::ZeroDuration();
  const PassResult& result = ingest.result();
  context_.metrics.Sweep(FailureClass(end), result);
  if (result.late > 0) {
    context_.ingest.log.Warning(
        "a sweep found orders that the polls had missed: the overlap is too short for this shop",
        {{"connection", id}, {"orders", result.late}});
  }
  const std::string failure = end.ok() ? "" : FailureClass(end);
  const bool news = failure != std::exchange(last_failure_, failure);
  if (!end.ok()) {
    context_.ingest.log.Write(news ? LogLevel::kWarning : LogLevel::kDebug, "a sweep failed",
                              {{"connection", id}, {"error", end}});
    const auto verdict = JudgePass(end, /*credentials_refused_before=*/false);
    if (verdict.hold > absl::ZeroDuration()) host_.hold(verdict.hold);
  }
  SweepEnded(end.ok(), start);
  co_return absl::ZeroDuration();
}

}  // namespace poller
