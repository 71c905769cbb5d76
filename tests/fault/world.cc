#include "tests/fault/world.h"

#include <stdlib.h>

#include <utility>

#include "core/base/status.h"
#include "core/base/url.h"

namespace poller::test {
namespace {

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kMasterKey[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

std::filesystem::path MakeFolder() {
  // Memory, where there is one: thousands of histories would spend their time waiting for a disk.
  const bool memory = std::filesystem::is_directory("/dev/shm");
  std::string name =
      (memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) + "/world.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) abort();
  return name;
}

// Sweeps come more often than by default, so that a history need not last for hours.
PollingOptions PollingFor(const World::Options& options) {
  PollingOptions polling;
  polling.sweep_interval = options.sweep_interval;
  polling.page_size = options.page_size;
  polling.batch_size = options.batch_size;
  return polling;
}

HttpResponse ToResponse(const TestReply& reply, absl::Time date) {
  HttpResponse response;
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers.fields())
    response.headers.push_back({name, value});
  if (reply.send_date) response.headers.push_back({"Date", FormatHttpDate(date)});
  response.body = reply.body;
  return response;
}

}  // namespace

// The network between the product and the two simulated servers.
class World::Network final : public HttpClient {
 public:
  explicit Network(World& world) : world_(world) {}

  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override {
    const auto url = ParseUrl(request.url);
    if (!url.ok()) co_return TransportError(TransportFailure::kProtocol, "bad url");
    const bool to_odoo = url->host == "odoo.test";
    const NetworkFaults& faults = world_.faults_;
    RequestSwitch& requests = world_.requests_;
    const bool chosen = ++requests.sent == requests.fails;
    co_await world_.sleeper_.Sleep(Latency());
    if (world_.crash_.down())
      co_return TransportError(TransportFailure::kCancelled, "the process is gone");
    if (Draw(to_odoo ? faults.odoo_unreachable : faults.receiver_unreachable) ||
        (chosen && !requests.answer_lost)) {
      co_return TransportError(TransportFailure::kConnect, "refused");
    }
    TestRequest received = ToTestRequest(request, *url);
    TestReply reply = to_odoo ? world_.sim_.Handle(received) : ToReceiver(received);
    co_await world_.sleeper_.Sleep(Latency());
    const bool lost = world_.crash_.down() || reply.ending != Ending::kComplete ||
                      Draw(to_odoo ? faults.odoo_answer_lost : faults.receiver_answer_lost) ||
                      (chosen && requests.answer_lost);
    if (reply.on_done) reply.on_done(!lost);
    if (lost) co_return TransportError(TransportFailure::kReset, "the answer was lost");
    co_return ToResponse(reply, world_.OdooNow() + world_.options_.odoo_skew);
  }

 private:
  bool Draw(double chance) {
    return std::uniform_real_distribution<double>(0, 1)(world_.chance_) < chance;
  }
  absl::Duration Latency() {
    return absl::Milliseconds(std::uniform_int_distribution<int>(1, 120)(world_.chance_));
  }
  static TestRequest ToTestRequest(const HttpRequest& request, const Url& url) {
    TestRequest received;
    received.method = request.method;
    received.path = url.path.substr(0, url.path.find('?'));
    for (const HttpHeader& header : request.headers)
      received.headers.Add(header.name, header.value);
    received.body = request.body;
    return received;
  }
  TestReply ToReceiver(const TestRequest& request) {
    const std::string id = request.headers.Get("webhook-id");
    if (world_.accepted_.Stored(id))
      world_.violations_.push_back("sent again after a stored acceptance: " + id);
    if (Draw(world_.faults_.receiver_refuses)) {
      const auto& statuses = world_.faults_.statuses;
      ReceiverBehaviour behaviour;
      behaviour.status = statuses[std::uniform_int_distribution<std::size_t>(
          0, statuses.size() - 1)(world_.chance_)];
      if (behaviour.status == 503) behaviour.retry_after = absl::Seconds(7);
      behaviour.times = 1;
      world_.receiver_.SetBehaviour(behaviour);
    }
    return world_.receiver_.Handle(request);
  }
  World& world_;
};

// What a process holds. Torn down and built anew by a crash.
struct World::Running {
  explicit Running(World& world)
      : network(world),
        connections(world.storage_->connections(), world.crash_),
        ingest(world.storage_->ingest(), world.crash_),
        outbox(world.storage_->outbox(), world.crash_, world.accepted_),
        jobs(world.storage_->jobs(), world.crash_),
        sync_logs(world.storage_->sync_logs(), world.crash_),
        tokens(world.storage_->tokens(), world.crash_),
        requests(world.storage_->requests(), world.crash_),
        tasks(world.io_.get_executor()),
        dispatcher({connections, outbox, network, world.clock_, world.sleeper_, world.random_,
                    tasks, world.io_.get_executor(), NullLogger(), world.metrics_},
                   DispatcherOptions()),
        scheduler({connections, ingest, sync_logs, jobs, network, world.clock_, world.sleeper_,
                   world.random_, tasks, world.io_.get_executor(), NullLogger(), world.metrics_,
                   [this](ConnectionId id) { dispatcher.Hint(id); }},
                  PollingFor(world.options_)) {}
  Network network;
  CrashingConnections connections;
  CrashingIngest ingest;
  CrashingOutbox outbox;
  CrashingJobs jobs;
  CrashingSyncLogs sync_logs;
  CrashingTokens tokens;
  CrashingRequests requests;
  TaskGroup tasks;
  Dispatcher dispatcher;
  Scheduler scheduler;
};

World::World(const Options& options)
    : options_(options),
      folder_(MakeFolder()),
      chance_(options.seed),
      sim_({.version = options.odoo_version,
            .web_clock = [this] { return OdooNow() + options_.odoo_skew; },
            .database_clock = [this] { return OdooNow(); }}),
      receiver_({.clock = [this] { return clock_.Now(); }, .tolerance = absl::Minutes(5)}) {
  sim_.AddDatabase("shop");
  receiver_.AddSecret("", kSecret);
}

World::~World() {
  if (running_) Crash();
  storage_.reset();
  std::filesystem::remove_all(folder_);
}

// Odoo's machine has a clock of its own: it does not follow when ours is set.
absl::Time World::OdooNow() const {
  return absl::FromUnixSeconds(1768473000) + (clock_.Monotonic() - absl::Seconds(1000)) +
         absl::Microseconds(123457);
}

void World::Start(bool create) {
  SqliteOptions sqlite;
  sqlite.path = folder_ / "poller.db";
  sqlite.master_keys = Secret(kMasterKey);
  auto storage = SqliteStorage::Open(sqlite, clock_, random_, metrics_);
  if (!storage.ok()) {
    violations_.push_back("cannot open: " + Describe(storage.status()));
    abort();
  }
  storage_ = std::move(*storage);
  if (create) {
    ConnectionSettings settings;
    settings.name = "shop";
    settings.external_id = "C1";
    settings.odoo.url = "https://odoo.test";
    settings.odoo.database = "shop";
    settings.odoo.username = "admin";
    settings.odoo.api_key = Secret("admin-key");
    settings.webhook.url = "https://receiver.test/hook";
    settings.webhook.secret = Secret(kSecret);
    settings.send_cancelled = options_.send_cancelled;
    settings.start_from = options_.start_from;
    connection_ = storage_->connections().Create(settings, Actor(), clock_.Now()).value().id;
  }
  running_ = std::make_unique<Running>(*this);
  running_->dispatcher.Add(connection_);
  running_->scheduler.Add(connection_, /*spread=*/false);
  sleeper_.Advance(absl::ZeroDuration());
}

void World::TakeDown() {
  running_->scheduler.Stop();
  running_->dispatcher.Stop();
  // Everything fails at once now; what waits in between sees its time pass.
  for (int i = 0; i < 10000 && running_->tasks.Running() > 0; ++i)
    sleeper_.Advance(absl::Seconds(1));
  if (running_->tasks.Running() > 0) {
    fprintf(stderr, "%d tasks do not end\n", running_->tasks.Running());
    abort();
  }
  running_.reset();
  storage_.reset();
}

void World::Crash() {
  if (!crash_.down()) {
    crash_.Arm(1, /*before=*/true);
    (void)crash_.NextWrite();
  }
  TakeDown();
  crash_.Recover();
  ++restarts_;
}

void World::StartJob(JobKind kind, bool repair) {
  JobSpec spec;
  spec.kind = kind;
  spec.connection = connection_;
  spec.repair = repair;
  if (const auto made = storage_->jobs().Create(spec, Actor(), clock_.Now()); !made.ok())
    violations_.push_back("cannot make a job: " + Describe(made.status()));
  running_->scheduler.JobsChanged(connection_);
}

ConnectionStore& World::connections() { return running_->connections; }
TokenStore& World::tokens() { return running_->tokens; }
RequestStore& World::kept_requests() { return running_->requests; }

void World::SettingsChanged() {
  running_->scheduler.Refresh(connection_);
  running_->dispatcher.Hint(connection_);
}

void World::Advance(absl::Duration duration) {
  const absl::Duration end = clock_.Monotonic() + duration;
  while (clock_.Monotonic() < end) {
    // Step by step, so that a crash is noticed where it happens and not at the end.
    const auto next = sleeper_.NextDeadline();
    sleeper_.AdvanceTo(std::min(next.value_or(end), end));
    if (crash_.down()) {
      Crash();
      Start(/*create=*/false);
    }
  }
}

std::vector<std::string> World::Violations() const {
  std::vector<std::string> all = violations_;
  for (const ReceiverViolation& violation : receiver_.Violations()) {
    all.push_back(violation.what + " order " + std::to_string(violation.order_id) + ": " +
                  violation.detail);
  }
  return all;
}

}  // namespace poller::test
