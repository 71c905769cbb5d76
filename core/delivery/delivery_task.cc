// The other half of ConnectionLoop: one request, from its claim to its stored outcome.
#include <algorithm>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/delivery/connection_loop.h"

namespace poller {
namespace {

constexpr absl::Duration kStoreRetry = absl::Seconds(1);
// Once a stop has begun. What is not stored then is sent again after the start, under its id.
constexpr int kTriesWhileStopping = 3;
constexpr int kWarnEvery = 30;
// Our own stop cut it off: the next run sends it again at once.
constexpr absl::Duration kAfterCancel = absl::Seconds(1);

}  // namespace

Task<void> ConnectionLoop::Deliver(std::shared_ptr<ConnectionLoop> self, Claimed claimed) {
  SendResult result;
  if (self->Stopping()) {
    result.release = true;
  } else {
    DeliveryMetrics& metrics = self->context_->metrics;
    metrics.Started();
    result = co_await self->context_->sender.Send(claimed.connection, claimed.delivery);
    metrics.Ended();
    metrics.Attempt(result.verdict.accepted ? "accepted" : result.attempt.failure,
                    result.attempt.duration);
  }
  claimed.connection.reset();  // Its secrets are not needed any more.
  DeliveryOutcome outcome = self->Conclude(claimed, result);
  const std::optional<Resolution> resolution =
      co_await self->Resolve(claimed.delivery, std::move(outcome));
  self->Feed(claimed, result, resolution);
  self->End(claimed);
}

DeliveryOutcome ConnectionLoop::Conclude(const Claimed& claimed, const SendResult& result) {
  DeliveryOutcome outcome;
  outcome.id = claimed.delivery->id;
  if (result.release) {
    // Nothing was asked. If that is for want of memory or sockets, the leg waits a little.
    absl::MutexLock lock(&mu_);
    leg_->Answered(claimed.ticket, result.verdict, context_->clock.Read(), 0);
    return outcome;
  }
  outcome.attempt = result.attempt;
  outcome.max_attempts = context_->max_attempts;
  outcome.kind =
      result.verdict.accepted ? DeliveryOutcome::Kind::kAccepted : DeliveryOutcome::Kind::kFailed;
  outcome.may_blame_order = result.verdict.may_blame_order;
  const double unit = context_->random.Unit();
  absl::Duration held;
  {
    absl::MutexLock lock(&mu_);
    held = leg_->Answered(claimed.ticket, result.verdict, context_->clock.Read(), unit);
  }
  if (held > absl::ZeroDuration()) {
    outcome.retry_after = held;
  } else if (result.attempt.failure == TransportFailureName(TransportFailure::kCancelled)) {
    outcome.retry_after = kAfterCancel;
  } else if (outcome.kind == DeliveryOutcome::Kind::kFailed) {
    outcome.retry_after = RetryDelay(context_->leg.backoff, claimed.delivery->attempt, unit);
  }
  return outcome;
}

Task<std::optional<Resolution>> ConnectionLoop::Resolve(
    std::shared_ptr<const ClaimedDelivery> delivery, DeliveryOutcome outcome) {
  std::optional<Resolution> stored;
  int failures = 0;
  while (true) {
    auto resolve = [context = context_, outcome] {
      return context->outbox.Resolve(outcome, context->clock.Read());
    };
    const auto resolution = co_await Offload(context_->storage_pool, std::move(resolve));
    if (resolution.ok()) stored = *resolution;
    if (resolution.ok() || absl::IsNotFound(resolution.status())) break;
    context_->metrics.OutcomeNotStored();
    if (failures++ % kWarnEvery == 0) {
      std::vector<LogField> fields = Fields(*delivery);
      fields.emplace_back("error", resolution.status());
      context_->log.Error("the outcome of a delivery cannot be stored: nothing new is claimed",
                          fields);
    }
    if (failures == 1) {
      absl::MutexLock lock(&mu_);
      ++unstored_;
    }
    if (Stopping() && failures >= kTriesWhileStopping) break;
    co_await context_->sleeper.Sleep(kStoreRetry);
  }
  if (failures > 0) {
    absl::MutexLock lock(&mu_);
    --unstored_;
  }
  co_return stored;
}

void ConnectionLoop::Feed(const Claimed& claimed, const SendResult& result,
                          const std::optional<Resolution>& resolution) {
  if (result.release || !resolution.has_value()) {
    absl::MutexLock lock(&mu_);
    leg_->Abandoned(claimed.ticket);
    return;
  }
  {
    const double unit = context_->random.Unit();
    absl::MutexLock lock(&mu_);
    leg_->Resolved(claimed.ticket, result.verdict, resolution->blamed_order, context_->clock.Read(),
                   unit, result.attempt.error);
  }
  Report(*claimed.delivery, result, *resolution);
}

void ConnectionLoop::End(const Claimed& claimed) {
  if (!claimed.probe_origin.empty()) context_->probes.Release(claimed.probe_origin, id_);
  {
    absl::MutexLock lock(&mu_);
    --in_flight_;
  }
  wakeup_.Notify();
}

void ConnectionLoop::Report(const ClaimedDelivery& delivery, const SendResult& result,
                            const Resolution& resolution) const {
  std::vector<LogField> fields = Fields(delivery);
  fields.emplace_back("http_status", result.attempt.http_status);
  fields.emplace_back("duration", poller::FormatDuration(result.attempt.duration));
  if (result.verdict.accepted) {
    context_->log.Debug("delivered", fields);
    return;
  }
  fields.emplace_back("failure", result.attempt.failure);
  fields.emplace_back("error", result.attempt.error);
  fields.emplace_back("spent", resolution.spent);
  if (resolution.status == DeliveryStatus::kDead) {
    context_->metrics.Dead();
    context_->log.Info("given up: the receiver refuses this order", fields);
  } else {
    context_->log.Warning("delivery failed", fields);
  }
}

std::vector<LogField> ConnectionLoop::Fields(const ClaimedDelivery& delivery) const {
  return {
      {"connection", id_},       {"order", delivery.order},       {"name", delivery.order_name},
      {"delivery", delivery.id}, {"revision", delivery.revision}, {"attempt", delivery.attempt}};
}

}  // namespace poller
