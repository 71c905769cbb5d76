#include "core/delivery/dispatcher.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/delivery/connection_loop.h"
#include "core/delivery/delivery_metrics.h"
#include "core/delivery/origin_probes.h"
#include "core/delivery/webhook_sender.h"

namespace poller {

// Shared with the loops, which may outlive the dispatcher for as long as the task group runs.
struct Dispatcher::Impl {
  Impl(const Deps& deps, const DispatcherOptions& options)
      : random(deps.random),
        tasks(deps.tasks),
        metrics(deps.metrics),
        sender(deps.http, deps.clock,
               WebhookSenderOptions{.timeout = options.timeout,
                                    .max_retry_after = options.max_retry_after,
                                    .default_ca_pem = options.default_ca_pem,
                                    .user_agent = options.user_agent}),
        context{.connections = deps.connections,
                .outbox = deps.outbox,
                .sender = sender,
                .probes = probes,
                .clock = deps.clock,
                .sleeper = deps.sleeper,
                .random = deps.random,
                .tasks = deps.tasks,
                .storage_pool = deps.storage_pool,
                .log = deps.log,
                .metrics = metrics,
                .leg = {.breaker = options.breaker,
                        .backoff = options.backoff,
                        .gone_probe = options.gone_probe},
                .deliveries_per_connection = options.deliveries_per_connection,
                .max_attempts = options.max_attempts} {}

  std::shared_ptr<ConnectionLoop> Find(ConnectionId id) {
    absl::MutexLock lock(&mu);
    const auto found = loops.find(id);
    return found == loops.end() ? nullptr : found->second;
  }

  static Task<void> RunLoop(std::shared_ptr<Impl> self, ConnectionId id,
                            std::shared_ptr<ConnectionLoop> loop) {
    co_await loop->Run();
    absl::MutexLock lock(&self->mu);
    self->loops.erase(id);
  }

  RandomSource& random;
  TaskGroup& tasks;
  DeliveryMetrics metrics;
  WebhookSender sender;
  OriginProbes probes;
  LoopContext context;

  absl::Mutex mu;
  bool stopped ABSL_GUARDED_BY(mu) = false;
  absl::flat_hash_map<ConnectionId, std::shared_ptr<ConnectionLoop>> loops ABSL_GUARDED_BY(mu);
};

Dispatcher::Dispatcher(Deps deps, DispatcherOptions options)
    : impl_(std::make_shared<Impl>(deps, options)) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Add(ConnectionId id) {
  std::shared_ptr<ConnectionLoop> loop;
  {
    absl::MutexLock lock(&impl_->mu);
    if (impl_->stopped || impl_->loops.contains(id)) return;
    // The loop keeps all of the shared state alive through its context.
    loop = std::make_shared<ConnectionLoop>(
        id, std::shared_ptr<const LoopContext>(impl_, &impl_->context));
    impl_->loops.emplace(id, loop);
  }
  impl_->tasks.Spawn(Impl::RunLoop(impl_, id, std::move(loop)));
}

void Dispatcher::Hint(ConnectionId id) {
  if (const auto loop = impl_->Find(id)) loop->Hint();
}

Task<absl::Status> Dispatcher::ResetCircuit(ConnectionId id) {
  const auto loop = impl_->Find(id);
  if (loop == nullptr) {
    co_return absl::NotFoundError("no deliveries for connection " + std::to_string(id.value()));
  }
  co_return co_await loop->Reset();
}

Task<WebhookTest> Dispatcher::SendTest(Connection connection) {
  const auto impl = impl_;
  auto shared = std::make_shared<const Connection>(std::move(connection));
  std::string webhook_id = RandomWebhookId(impl->random);
  const SendResult result = co_await impl->sender.SendTest(shared, std::move(webhook_id));
  WebhookTest test;
  test.ok = result.verdict.accepted;
  test.http_status = result.attempt.http_status;
  test.error = result.attempt.error;
  test.duration = result.attempt.duration;
  const bool refused = test.http_status == 401 || test.http_status == 403;
  if (refused && !shared->settings.webhook.legacy_secret_header) {
    test.error +=
        " (if the receiver expects the secret itself in X-Webhook-Secret, set "
        "--legacy-secret-header)";
  }
  co_return test;
}

void Dispatcher::Stop() {
  std::vector<std::shared_ptr<ConnectionLoop>> loops;
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->stopped = true;
    for (const auto& [id, loop] : impl_->loops) loops.push_back(loop);
  }
  for (const auto& loop : loops) loop->Stop();
}

}  // namespace poller
