#include "core/delivery/connection_loop.h"

#include <algorithm>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/url.h"
#include "core/crypto/hash.h"

namespace poller {
namespace {

// Between two tries of a store that is busy or has no room.
constexpr absl::Duration kStoreRetry = absl::Seconds(1);
// The store says that something is due and gives nothing: an older revision is in flight, say.
constexpr absl::Duration kNothingClaimed = absl::Seconds(1);
constexpr absl::Duration kIdle = absl::Minutes(1);

// What a receiver is for us: another one owes nothing for what this one did.
std::string ReceiverDigest(const WebhookSettings& webhook) {
  return Blake2bParts({webhook.url, webhook.secret.Reveal(), webhook.ca_pem,
                       webhook.legacy_secret_header ? "1" : "0"},
                      32);
}

std::string OriginOf(const std::string& url) {
  const auto parsed = ParseUrl(url);
  return parsed.ok() ? parsed->Origin() : url;
}

}  // namespace

ConnectionLoop::ConnectionLoop(ConnectionId id, std::shared_ptr<const LoopContext> context)
    : id_(id), context_(std::move(context)) {}

Task<void> ConnectionLoop::Run() {
  while (!Stopping() || InFlight() > 0) {
    const absl::Status settled = co_await Settle();
    if (absl::IsNotFound(settled)) break;
    absl::Duration wait = absl::InfiniteDuration();
    wants_probe_ = false;
    if (!Stopping() && !Blocked()) {
      const absl::StatusOr<absl::Duration> step = co_await Step();
      if (absl::IsNotFound(step.status())) break;
      if (!step.ok()) {
        context_->log.Warning("deliveries cannot be read",
                              {{"connection", id_}, {"error", step.status()}});
      }
      wait = step.value_or(kStoreRetry);
    }
    if (!wants_probe_) LeaveProbeQueue();
    if (!settled.ok()) wait = std::min(wait, kStoreRetry);
    if (wait > absl::ZeroDuration()) co_await context_->sleeper.Sleep(wait, &wakeup_);
  }
  LeaveProbeQueue();
  co_await Settle();
  std::vector<OneShot<absl::Status>> late;
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    late.swap(resets_);
  }
  for (const auto& reset : late) reset.Set(absl::CancelledError("deliveries have stopped"));
}

void ConnectionLoop::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  wakeup_.Notify();
}

Task<absl::Status> ConnectionLoop::Reset() {
  OneShot<absl::Status> done;
  {
    absl::MutexLock lock(&mu_);
    if (ended_) co_return absl::CancelledError("deliveries have stopped");
    resets_.push_back(done);
  }
  wakeup_.Notify();
  co_return co_await done.Get();
}

Task<absl::StatusOr<ConnectionLoop::View>> ConnectionLoop::Look() {
  auto look = [context = context_, id = id_]() -> absl::StatusOr<View> {
    ASSIGN_OR_RETURN(ConnectionWithState found, context->connections.Get(id));
    View view;
    ASSIGN_OR_RETURN(view.next_due, context->outbox.NextDue(id, context->clock.Read()));
    view.connection = std::make_shared<const Connection>(std::move(found.connection));
    view.state = std::move(found.state);
    return view;
  };
  return Offload(context_->storage_pool, std::move(look));
}

void ConnectionLoop::Adopt(const View& view) {
  std::string receiver = ReceiverDigest(view.connection->settings.webhook);
  absl::MutexLock lock(&mu_);
  if (!leg_.has_value()) {
    leg_.emplace(context_->leg, view.state.receiver_breaker, view.state.receiver_gone_since,
                 context_->clock.Read());
    stored_breaker_ = leg_->breaker();
    stored_gone_ = view.state.receiver_gone_since;
  } else if (receiver != receiver_) {
    leg_->Reset();
  }
  receiver_ = std::move(receiver);
  if (stored_gone_.has_value() && !view.state.receiver_gone_since.has_value()) {
    stored_gone_.reset();  // An operator ended it.
    leg_->NotGone();
  }
}

Task<absl::StatusOr<absl::Duration>> ConnectionLoop::Step() {
  auto view = co_await Look();
  if (!view.ok()) co_return view.status();
  Adopt(*view);
  // A pause holds back what an operator forces, too: it would be sent at once when resumed.
  if (view->connection->settings.paused_delivery) co_return Idle();

  ReceiverLeg::Permit permit;
  {
    absl::MutexLock lock(&mu_);
    if (!resets_.empty()) co_return absl::ZeroDuration();
    permit = leg_->Ask(context_->clock.Read(), context_->deliveries_per_connection);
  }
  if (view->next_due > absl::ZeroDuration()) co_return std::min(view->next_due, Idle());
  switch (permit.kind) {
    case ReceiverLeg::Permit::Kind::kOpen:
      co_return co_await ClaimOpen(std::move(view->connection), permit.limit);
    case ReceiverLeg::Permit::Kind::kProbe:
      co_return co_await ClaimProbe(std::move(view->connection));
    case ReceiverLeg::Permit::Kind::kHeld:
      co_return co_await ClaimForced(std::move(view->connection), std::min(permit.wait, Idle()));
  }
  co_return Idle();
}

Task<absl::Duration> ConnectionLoop::ClaimOpen(std::shared_ptr<const Connection> connection,
                                               int limit) {
  const int slots = limit - InFlight();
  if (slots <= 0) co_return Idle();
  auto found = co_await Claim(slots, false);
  if (!found.ok()) co_return kStoreRetry;
  for (ClaimedDelivery& delivery : *found) {
    Claimed claimed;
    claimed.connection = connection;
    claimed.delivery = std::make_shared<const ClaimedDelivery>(std::move(delivery));
    Start(std::move(claimed));
  }
  co_return found->empty() ? kNothingClaimed : absl::ZeroDuration();
}

Task<absl::Duration> ConnectionLoop::ClaimProbe(std::shared_ptr<const Connection> connection) {
  Claimed claimed;
  claimed.probe_origin = OriginOf(connection->settings.webhook.url);
  LeaveProbeQueue(claimed.probe_origin);
  auto turn = [self = weak_from_this()] {
    if (const auto loop = self.lock()) loop->Hint();
  };
  if (!context_->probes.TryAcquire(claimed.probe_origin, id_, std::move(turn))) {
    probe_queue_ = claimed.probe_origin;
    wants_probe_ = true;
    co_return co_await ClaimForced(std::move(connection), Idle());
  }
  probe_queue_.clear();
  auto found = co_await Claim(1, false);
  if (!found.ok() || found->empty()) {
    context_->probes.Release(claimed.probe_origin, id_);
    co_return kNothingClaimed;
  }
  {
    absl::MutexLock lock(&mu_);
    claimed.ticket = leg_->StartProbe(context_->clock.Read());
  }
  // "Half-open" is told before what comes of it. If it cannot be stored now, it is later.
  (void)co_await StoreBreaker();
  claimed.connection = std::move(connection);
  claimed.delivery = std::make_shared<const ClaimedDelivery>(std::move(found->front()));
  Start(std::move(claimed));
  co_return absl::ZeroDuration();
}

void ConnectionLoop::LeaveProbeQueue(const std::string& but) {
  if (probe_queue_.empty() || probe_queue_ == but) return;
  context_->probes.Leave(probe_queue_, id_);
  probe_queue_.clear();
}

Task<absl::Duration> ConnectionLoop::ClaimForced(std::shared_ptr<const Connection> connection,
                                                 absl::Duration wait) {
  auto found = co_await Claim(context_->deliveries_per_connection - InFlight(), true);
  if (!found.ok()) co_return kStoreRetry;
  for (ClaimedDelivery& delivery : *found) {
    Claimed claimed;
    claimed.connection = connection;
    claimed.delivery = std::make_shared<const ClaimedDelivery>(std::move(delivery));
    Start(std::move(claimed));
  }
  co_return wait;
}

Task<absl::StatusOr<std::vector<ClaimedDelivery>>> ConnectionLoop::Claim(int limit,
                                                                         bool forced_only) {
  auto claim = [context = context_, id = id_, limit, forced_only] {
    return context->outbox.Claim(id, context->clock.Read(), limit, forced_only);
  };
  auto found = co_await Offload(context_->storage_pool, std::move(claim));
  if (!found.ok()) {
    context_->log.Warning("deliveries cannot be claimed",
                          {{"connection", id_}, {"error", found.status()}});
  }
  co_return found;
}

void ConnectionLoop::Start(Claimed claimed) {
  {
    absl::MutexLock lock(&mu_);
    ++in_flight_;
    if (claimed.probe_origin.empty()) claimed.ticket = leg_->Start(context_->clock.Read());
  }
  context_->tasks.Spawn(Deliver(shared_from_this(), std::move(claimed)));
}

Task<absl::Status> ConnectionLoop::Settle() {
  std::vector<OneShot<absl::Status>> resets;
  {
    absl::MutexLock lock(&mu_);
    if (!leg_.has_value()) co_return absl::OkStatus();
    resets.swap(resets_);
    if (!resets.empty()) leg_->Reset();
  }
  absl::Status status = co_await StoreBreaker();
  if (status.ok()) status = co_await StoreGone();
  for (const auto& reset : resets) reset.Set(status);
  if (!status.ok() && !absl::IsNotFound(status)) {
    context_->log.Warning("the state of the receiver cannot be stored",
                          {{"connection", id_}, {"error", status}});
  }
  co_return status;
}

Task<absl::Status> ConnectionLoop::StoreBreaker() {
  BreakerRecord record;
  {
    absl::MutexLock lock(&mu_);
    record = leg_->breaker();
  }
  if (record == stored_breaker_) co_return absl::OkStatus();
  auto save = [context = context_, id = id_, record] {
    return context->connections.SaveBreaker(id, Leg::kReceiver, record, context->clock.Now());
  };
  const absl::Status status = co_await Offload(context_->storage_pool, std::move(save));
  if (!status.ok()) co_return status;
  ReportBreaker(stored_breaker_, record);
  stored_breaker_ = std::move(record);
  co_return status;
}

Task<absl::Status> ConnectionLoop::StoreGone() {
  std::optional<absl::Time> gone;
  {
    absl::MutexLock lock(&mu_);
    gone = leg_->gone_since();
  }
  if (gone == stored_gone_) co_return absl::OkStatus();
  auto save = [context = context_, id = id_, gone] {
    return context->connections.SetReceiverGone(id, gone);
  };
  const absl::Status status = co_await Offload(context_->storage_pool, std::move(save));
  if (!status.ok()) co_return status;
  stored_gone_ = gone;
  if (gone.has_value()) {
    context_->log.Warning("the receiver is gone: it answers 410", {{"connection", id_}});
  } else {
    context_->log.Info("the receiver is no longer gone", {{"connection", id_}});
  }
  co_return status;
}

void ConnectionLoop::ReportBreaker(const BreakerRecord& from, const BreakerRecord& to) const {
  if (from.state == to.state) return;
  context_->metrics.BreakerChanged(to.state);
  context_->log.Info("the receiver's circuit breaker changed",
                     {{"connection", id_},
                      {"from", BreakerStateWord(from.state)},
                      {"to", BreakerStateWord(to.state)},
                      {"error", to.last_error}});
}

absl::Duration ConnectionLoop::Idle() const {
  return kIdle * (0.75 + 0.5 * context_->random.Unit());
}

bool ConnectionLoop::Blocked() const {
  absl::MutexLock lock(&mu_);
  return unstored_ > 0 || in_flight_ >= context_->deliveries_per_connection;
}

bool ConnectionLoop::Stopping() const {
  absl::MutexLock lock(&mu_);
  return stopping_;
}

int ConnectionLoop::InFlight() const {
  absl::MutexLock lock(&mu_);
  return in_flight_;
}

}  // namespace poller
