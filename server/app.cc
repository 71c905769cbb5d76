#include "server/app.h"

#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <utility>

#include "core/async/sleeper.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "core/delivery/dispatcher.h"
#include "core/events/event_broker.h"
#include "core/http/curl/curl_http_client.h"
#include "core/polling/scheduler.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "server/admin_token.h"
#include "server/disk_watch.h"
#include "server/files.h"
#include "server/first_start.h"
#include "server/grpc_server.h"
#include "server/retention.h"
#include "server/rpc/authenticator.h"
#include "server/rpc/gate.h"
#include "server/services/admin_service.h"
#include "server/services/connection_service.h"
#include "server/services/job_service.h"
#include "server/services/order_service.h"
#include "server/services/retry_queue_service.h"
#include "server/services/sync_log_service.h"

namespace poller {
namespace {

// Blocking calls of the stores wait for the writer's group commit: enough of them at a time fill a
// group.
constexpr std::size_t kStorageThreads = 16;
// Receivers answer with a few words. What they may take of the budget is set apart, so that neither
// side starves the other.
constexpr std::int64_t kReceiversShare = 8;
constexpr int kConnectionsAtATime = 500;
constexpr absl::Duration kLook =
    absl::Milliseconds(50);  // between two looks at whether a stop may go on
constexpr absl::Duration kCutWait = absl::Seconds(5);     // for what was cut to notice
constexpr absl::Duration kServerWait = absl::Seconds(1);  // for streams to be told

struct Certificates {
  std::string odoo, webhook;
};

CurlOptions HttpOptions(const Options& options, std::int64_t budget) {
  CurlOptions http;
  http.egress = options.egress;
  http.response_budget = budget;
  http.max_requests = options.max_requests;
  http.user_agent = "odoo-order-poller/" + std::string(ProgramVersion());
  return http;
}

PollingOptions PollingFrom(const Options& options, std::string ca_pem) {
  PollingOptions polling;
  polling.overlap = options.overlap;
  polling.sweep_interval = options.sweep_interval;
  polling.sweep_window = options.sweep_window;
  polling.odoo_rate = options.odoo_rate;
  polling.timeout = options.odoo_timeout;
  polling.max_response_bytes = options.max_response;
  polling.breaker = options.breaker;
  polling.default_ca_pem = std::move(ca_pem);
  return polling;
}

DispatcherOptions DispatcherFrom(const Options& options, std::string ca_pem) {
  DispatcherOptions dispatcher;
  dispatcher.deliveries_per_connection = options.deliveries_per_connection;
  dispatcher.max_attempts = options.retry_max_attempts;
  dispatcher.backoff = options.retry;
  dispatcher.breaker = options.breaker;
  dispatcher.timeout = options.webhook_timeout;
  dispatcher.default_ca_pem = std::move(ca_pem);
  dispatcher.user_agent = "odoo-order-poller/" + std::string(ProgramVersion());
  return dispatcher;
}

std::filesystem::path FolderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

RetentionOptions RetentionFrom(const Options& options) {
  RetentionOptions retention;
  retention.events = options.retention_events;
  retention.logs = options.retention_logs;
  retention.ledger = options.retention_ledger;
  return retention;
}

}  // namespace

std::string_view ProgramVersion() { return POLLER_VERSION; }

// Members in start order: their destruction is the stop order. Loops end by Stop before any of it
// is destroyed.
struct App::Parts {
  Parts(const Options& opts, Logger& logger)
      : options(opts),
        log(logger),
        work(static_cast<std::size_t>(opts.Threads())),
        storage_threads(kStorageThreads) {}

  absl::Status OpenStorage();
  absl::Status MakeParts(absl::Duration heartbeat);
  absl::Status Begin();
  bool WaitForRequests(const std::function<bool()>& abandon);
  bool Idle() const { return loops.Running() == 0 && calls.Running() == 0; }

  const Options options;
  Logger& log;
  const Clock& clock = SystemClock();
  RandomSource& random = SystemRandom();
  Metrics metrics;
  std::unique_ptr<SqliteStorage> storage;
  boost::asio::thread_pool work;
  boost::asio::thread_pool storage_threads;
  std::unique_ptr<Sleeper> sleeper = MakeSystemSleeper(work.get_executor());
  std::unique_ptr<CurlHttpClient> odoo_http, webhook_http;
  TaskGroup loops{work.get_executor()};  // polling, delivery, the broker, retention
  TaskGroup calls{work.get_executor()};  // unary calls
  TaskGroup streams{work.get_executor()};
  std::unique_ptr<DiskWatch> disk;
  std::unique_ptr<EventBroker> broker;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Retention> retention;
  std::unique_ptr<rpc::Authenticator> authenticator;
  std::unique_ptr<rpc::Once> once;
  std::unique_ptr<rpc::Gate> gate;
  std::optional<ServiceContext> context;
  std::unique_ptr<ConnectionServiceImpl> connection_service;
  std::unique_ptr<SyncLogServiceImpl> sync_log_service;
  std::unique_ptr<RetryQueueServiceImpl> retry_queue_service;
  std::unique_ptr<OrderServiceImpl> order_service;
  std::unique_ptr<JobServiceImpl> job_service;
  std::unique_ptr<AdminServiceImpl> admin_service;
  std::unique_ptr<GrpcServer> server;
  bool stopped = false;
};

absl::Status App::Parts::OpenStorage() {
  RETURN_IF_ERROR(PrepareDataDir(options, log));
  SqliteOptions sqlite;
  sqlite.path = options.DbPath();
  RETURN_IF_ERROR(SqliteStorage::CheckOurs(sqlite.path));
  const bool is_new = SqliteStorage::IsNew(sqlite.path);
  ASSIGN_OR_RETURN(sqlite.master_keys, LoadKeys(options, is_new, random, log));
  ASSIGN_OR_RETURN(storage, SqliteStorage::Open(sqlite, clock, random, metrics));
  if (is_new) log.Info("made a database", {{"file", sqlite.path.string()}});
  return EnsureAdminToken(options, storage->tokens(), random, clock, log);
}

absl::Status App::Parts::MakeParts(absl::Duration heartbeat) {
  Certificates trusted;
  ASSIGN_OR_RETURN(trusted.odoo, ReadCertificates("--odoo-ca", options.odoo_ca));
  ASSIGN_OR_RETURN(trusted.webhook, ReadCertificates("--webhook-ca", options.webhook_ca));
  const std::int64_t receivers = options.response_budget / kReceiversShare;
  ASSIGN_OR_RETURN(
      odoo_http,
      CurlHttpClient::Create(HttpOptions(options, options.response_budget - receivers), metrics));
  ASSIGN_OR_RETURN(webhook_http, CurlHttpClient::Create(HttpOptions(options, receivers), metrics));

  const Executor storage_pool = storage_threads.get_executor();
  broker = std::make_unique<EventBroker>(storage->events(), *sleeper, loops, storage_pool, log);
  dispatcher = std::make_unique<Dispatcher>(
      Dispatcher::Deps{storage->connections(), storage->outbox(), *webhook_http, clock, *sleeper,
                       random, loops, storage_pool, log, metrics},
      DispatcherFrom(options, std::move(trusted.webhook)));
  disk = std::make_unique<DiskWatch>(
      DiskWatch::Deps{[this] { return FreeDisk(FolderOf(options.DbPath())); }, storage->events(),
                      *sleeper, clock, storage_pool, log, [] {}},
      options.min_free_disk);
  disk->Start();
  scheduler = std::make_unique<Scheduler>(
      Scheduler::Deps{storage->connections(), storage->ingest(), storage->sync_logs(),
                      storage->jobs(), *odoo_http, clock, *sleeper, random, loops, storage_pool,
                      log, metrics, [this](ConnectionId id) { dispatcher->Hint(id); },
                      [this] { return disk->low(); }},
      PollingFrom(options, std::move(trusted.odoo)));
  retention = std::make_unique<Retention>(
      Retention::Stores{storage->events(), storage->sync_logs(), storage->jobs(), storage->ledger(),
                        storage->connections(), storage->requests()},
      *sleeper, clock, storage_pool, log, RetentionFrom(options));

  authenticator = std::make_unique<rpc::Authenticator>(storage->tokens(), clock, random);
  once = std::make_unique<rpc::Once>(storage->requests(), clock, storage_pool);
  gate = std::make_unique<rpc::Gate>(
      *authenticator, *once, *sleeper, clock, calls, streams, storage_pool, log,
      rpc::TokenCalls::Limits{options.calls_per_token, options.streams_per_token},
      options.longest_refusal);
  context.emplace(ServiceContext{
      *gate,
      storage->connections(),
      storage->outbox(),
      storage->retries(),
      storage->orders(),
      storage->jobs(),
      storage->sync_logs(),
      storage->events(),
      storage->status(),
      storage->backups(),
      storage->tokens(),
      *scheduler,
      *dispatcher,
      *broker,
      clock,
      *sleeper,
      random,
      storage_pool,
      rpc::ConnectionRules{options.overlap, options.default_webhook_url, options.egress},
      std::string(ProgramVersion()),
      options.data_dir / "backups",
      *disk,
      clock.Read(),
      heartbeat});
  connection_service = std::make_unique<ConnectionServiceImpl>(*context);
  sync_log_service = std::make_unique<SyncLogServiceImpl>(*context);
  retry_queue_service = std::make_unique<RetryQueueServiceImpl>(*context);
  order_service = std::make_unique<OrderServiceImpl>(*context);
  job_service = std::make_unique<JobServiceImpl>(*context);
  admin_service = std::make_unique<AdminServiceImpl>(*context);
  return absl::OkStatus();
}

// Listens before it polls: a server that cannot be reached must not begin to work unseen.
absl::Status App::Parts::Begin() {
  ASSIGN_OR_RETURN(server,
                   GrpcServer::Start(options, {connection_service.get(), sync_log_service.get(),
                                               retry_queue_service.get(), order_service.get(),
                                               job_service.get(), admin_service.get()}));
  RETURN_IF_ERROR(broker->Start());
  ConnectionId after;
  std::int64_t connections = 0;
  while (true) {
    ASSIGN_OR_RETURN(const auto page, storage->connections().List(after, kConnectionsAtATime));
    for (const ConnectionWithState& row : page) {
      dispatcher->Add(row.connection.id);
      scheduler->Add(row.connection.id, /*spread=*/true);
    }
    connections += static_cast<std::int64_t>(page.size());
    if (static_cast<int>(page.size()) < kConnectionsAtATime) break;
    after = page.back().connection.id;
  }
  loops.Spawn(retention->Run());
  loops.Spawn(disk->Run());
  gate->Open();
  server->SetServing(true);
  log.Info("started", {{"version", ProgramVersion()}, {"connections", connections}});
  return absl::OkStatus();
}

bool App::Parts::WaitForRequests(const std::function<bool()>& abandon) {
  const absl::Duration until = clock.Monotonic() + options.shutdown_grace;
  while (!Idle()) {
    const absl::Duration left = until - clock.Monotonic();
    if (left <= absl::ZeroDuration() || abandon()) return false;
    loops.WaitFor(std::min(left, kLook));
    // One of the two waits blocks as long as there is something to wait for.
    if (loops.Running() == 0) calls.WaitFor(std::min(left, kLook));
  }
  return true;
}

absl::StatusOr<std::unique_ptr<App>> App::Start(const Options& options, Logger& log,
                                                absl::Duration heartbeat) {
  CryptoInit();
  auto parts = std::make_unique<Parts>(options, log);
  RETURN_IF_ERROR(parts->OpenStorage());
  RETURN_IF_ERROR(parts->MakeParts(heartbeat));
  auto app =
      std::unique_ptr<App>(new App(std::move(parts)));  // whose destructor stops what has begun
  RETURN_IF_ERROR(app->parts_->Begin());
  return app;
}

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

App::~App() {
  if (!parts_->stopped) Stop([] { return true; });
}

const std::vector<std::string>& App::addresses() const { return parts_->server->addresses(); }

bool App::Stop(const std::function<bool()>& abandon) {
  Parts& parts = *parts_;
  parts.stopped = true;
  if (parts.server != nullptr) parts.server->SetServing(false);
  parts.gate->Close();
  parts.broker->Stop();
  parts.scheduler->Stop();
  parts.dispatcher->Stop();
  parts.retention->Stop();
  parts.disk->Stop();
  parts.storage->backups().Stop();
  if (!parts.WaitForRequests(abandon))
    parts.log.Warning("requests are still in flight: they are cut now");
  parts.odoo_http->Shutdown();
  parts.webhook_http->Shutdown();
  bool ended = parts.loops.WaitFor(kCutWait) && parts.calls.WaitFor(kCutWait);
  if (parts.server != nullptr) parts.server->Shutdown(parts.clock.Now() + kServerWait);
  ended = parts.streams.WaitFor(kCutWait) && ended;
  if (!ended) {
    parts.log.Error("some work did not end", {{"loops", parts.loops.Running()},
                                              {"calls", parts.calls.Running()},
                                              {"streams", parts.streams.Running()}});
    return false;
  }
  parts.work.join();
  parts.storage_threads.join();
  return true;
}

}  // namespace poller
