#include "core/polling/background_work.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/pass_verdict.h"
#include "core/polling/sweep.h"

namespace poller {

BackgroundWork::BackgroundWork(const PollerContext& context, Host host)
    : context_(context),
      host_(std::move(host)),
      sweeps_({.interval = context.options.sweep_interval,
               .jitter = context.options.interval_jitter}) {}

void BackgroundWork::Load(const ConnectionWithState& connection) {
  const absl::Duration now = context_.ingest.clock.Monotonic();
  absl::MutexLock lock(&mu_);
  // The mark tells how long ago the last sweep was once it is of this run.
  if (!polled_ || !sweeps_.NeedsPlace(connection.state)) return;
  sweeps_.Place(connection.state, now, context_.random.Unit());
}

void BackgroundWork::Polled() {
  absl::MutexLock lock(&mu_);
  polled_ = true;
}

bool BackgroundWork::SweepIsDue() const {
  if (!host_.held_by().empty()) return false;
  absl::MutexLock lock(&mu_);
  return polled_ && sweeps_.Wait(context_.ingest.clock.Monotonic()) == absl::ZeroDuration();
}

absl::Duration BackgroundWork::Wait() const {
  const bool held = !host_.held_by().empty();
  absl::MutexLock lock(&mu_);
  // What is held goes on after a poll, and then somebody asks again.
  if (running_ || held || !polled_) return absl::InfiniteDuration();
  return sweeps_.Wait(context_.ingest.clock.Monotonic());
}

bool BackgroundWork::Begin() {
  absl::MutexLock lock(&mu_);
  return !std::exchange(running_, true);
}

Task<void> BackgroundWork::Run() {
  while (!context_.ingest.stopping() && SweepIsDue()) {
    auto connection = co_await host_.load();
    if (!connection.ok()) {
      SweepEnded(/*complete=*/false, context_.ingest.clock.Monotonic());
      break;
    }
    co_await RunSweep(std::move(*connection));
  }
  absl::MutexLock lock(&mu_);
  running_ = false;
}

void BackgroundWork::SweepEnded(bool complete, absl::Duration start) {
  absl::MutexLock lock(&mu_);
  sweeps_.Ended(complete, start, context_.ingest.clock.Monotonic(), context_.random.Unit());
}

Task<void> BackgroundWork::RunSweep(ConnectionWithState connection) {
  const ConnectionId id = connection.connection.id;
  const absl::Duration start = context_.ingest.clock.Monotonic();
  OrderIngest::Manner manner;
  manner.priority = LanePriority::kBackground;
  OrderIngest ingest(context_.ingest, context_.options, host_.subject(std::move(connection)),
                     std::move(manner));
  Sweep sweep(context_.ingest.ingest, context_.ingest.storage_pool, context_.options, ingest);
  const absl::Status end = co_await sweep.Run();
  host_.undecided(ingest.undecided());
  // It is due again at once, under the new settings or when polls run again.
  if (IsInterruption(end)) co_return;
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
}

}  // namespace poller
