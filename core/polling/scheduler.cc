#include "core/polling/scheduler.h"

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/polling/connection_poller.h"
#include "core/polling/odoo_check.h"
#include "core/polling/paced_http.h"
#include "core/polling/pass_verdict.h"

namespace poller {
namespace {

absl::Status UnknownConnection(ConnectionId id) {
  return absl::NotFoundError("no connection " + std::to_string(id.value()));
}

}  // namespace

struct Scheduler::Impl : std::enable_shared_from_this<Scheduler::Impl> {
  Impl(Deps deps, PollingOptions polling)
      : options(std::move(polling)),
        http(deps.http),
        clock(deps.clock),
        tasks(deps.tasks),
        metrics(deps.metrics),
        context{.ingest = {.connections = deps.connections,
                           .ingest = deps.ingest,
                           .clock = deps.clock,
                           .storage_pool = deps.storage_pool,
                           .log = deps.log,
                           .committed = std::move(deps.committed),
                           .stopping = [this] { return stopping.load(); },
                           .full = std::move(deps.full)},
                .sync_logs = deps.sync_logs,
                .jobs = deps.jobs,
                .http = deps.http,
                .sleeper = deps.sleeper,
                .random = deps.random,
                .tasks = deps.tasks,
                .metrics = metrics,
                .turns = turns,
                .options = options} {}

  std::shared_ptr<ConnectionPoller> Find(ConnectionId id) {
    absl::MutexLock lock(&mu);
    const auto found = pollers.find(id);
    return found == pollers.end() ? nullptr : found->second;
  }

  static Task<void> RunLoop(std::shared_ptr<Impl> self, ConnectionId id,
                            std::shared_ptr<ConnectionPoller> poller, bool spread) {
    co_await poller->Run(spread);
    absl::MutexLock lock(&self->mu);
    self->pollers.erase(id);
  }

  const PollingOptions options;
  HttpClient& http;
  const Clock& clock;
  TaskGroup& tasks;
  PollingMetrics metrics;
  LaneRegistry turns;
  std::atomic<bool> stopping = false;
  PollerContext context;

  absl::Mutex mu;
  absl::flat_hash_map<ConnectionId, std::shared_ptr<ConnectionPoller>> pollers ABSL_GUARDED_BY(mu);
};

Scheduler::Scheduler(Deps deps, PollingOptions options)
    : impl_(std::make_shared<Impl>(std::move(deps), std::move(options))) {}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Add(ConnectionId id, bool spread) {
  std::shared_ptr<ConnectionPoller> poller;
  {
    absl::MutexLock lock(&impl_->mu);
    if (impl_->stopping || impl_->pollers.contains(id)) return;
    // The poller keeps all of the shared state alive through its context.
    poller = std::make_shared<ConnectionPoller>(
        id, std::shared_ptr<const PollerContext>(impl_, &impl_->context));
    impl_->pollers.emplace(id, poller);
  }
  impl_->tasks.Spawn(Impl::RunLoop(impl_, id, std::move(poller), spread));
}

void Scheduler::Refresh(ConnectionId id) {
  if (const auto poller = impl_->Find(id)) poller->Refresh();
}

Task<absl::StatusOr<PassResult>> Scheduler::PollNow(ConnectionId id, StillWanted wanted) {
  const auto poller = impl_->Find(id);
  if (poller == nullptr) co_return UnknownConnection(id);
  co_return co_await poller->PollNow(std::move(wanted));
}

Task<absl::StatusOr<ResendResult>> Scheduler::Resend(ConnectionId id, ResendRequest request,
                                                     Actor actor, StillWanted wanted) {
  const auto poller = impl_->Find(id);
  if (poller == nullptr) co_return UnknownConnection(id);
  co_return co_await poller->Resend(std::move(request), std::move(actor), std::move(wanted));
}

void Scheduler::JobsChanged(ConnectionId id) {
  if (const auto poller = impl_->Find(id)) poller->JobsChanged();
}

Task<absl::StatusOr<std::int64_t>> Scheduler::CountOrders(JobSpec spec, StillWanted wanted) {
  const auto poller = impl_->Find(spec.connection);
  if (poller == nullptr) co_return UnknownConnection(spec.connection);
  co_return co_await poller->CountOrders(std::move(spec), std::move(wanted));
}

Task<absl::Status> Scheduler::ResetCircuit(ConnectionId id, Actor actor) {
  const auto poller = impl_->Find(id);
  if (poller == nullptr) co_return UnknownConnection(id);
  co_return co_await poller->Reset(std::move(actor));
}

Task<std::vector<TestStep>> Scheduler::TestOdoo(Connection connection, StillWanted wanted) {
  const auto impl = impl_;
  auto turn = impl->turns.For(connection.settings.odoo.url, connection.settings.odoo.database);
  PacedHttp http(impl->http, impl->clock, impl->context.sleeper, turn,
                 CallGap(connection.settings.odoo, impl->options), std::move(wanted));
  OdooCheck check(http, impl->clock, impl->options, std::move(turn),
                  std::move(connection.settings));
  co_return co_await check.Run();
}

void Scheduler::Stop() {
  std::vector<std::shared_ptr<ConnectionPoller>> pollers;
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->stopping = true;
    for (const auto& [id, poller] : impl_->pollers) pollers.push_back(poller);
  }
  for (const auto& poller : pollers) poller->Stop();
}

}  // namespace poller
