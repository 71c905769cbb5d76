#include "core/polling/connection_poller.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/connection_start.h"
#include "core/polling/line_query.h"
#include "core/polling/odoo_check.h"
#include "core/polling/pass_verdict.h"
#include "core/polling/poll_cycle.h"
#include "core/polling/range_listing.h"
#include "core/polling/resend.h"

namespace poller {
namespace {

// When our own store does not answer.
constexpr absl::Duration kStoreRetry = absl::Seconds(10);
constexpr absl::Duration kLongestFull = absl::Minutes(1);  // between two looks at a full disk

void AddTo(PassResult& sum, const PassResult& part) {
  sum.listed += part.listed;
  sum.recorded += part.recorded;
  sum.unchanged += part.unchanged;
  sum.dead += part.dead;
  sum.cancelled += part.cancelled;
  sum.deferred += part.deferred;
}

}  // namespace

ConnectionPoller::ConnectionPoller(ConnectionId id, std::shared_ptr<const PollerContext> context)
    : id_(id),
      context_(std::move(context)),
      gate_(context_->options),
      link_(context_->http, context_->ingest.clock, context_->sleeper, context_->turns,
            context_->options),
      records_(*context_, id),
      background_(*context_, id, BackgroundHost()),
      facts_(*context_, id) {}

void ConnectionPoller::Refresh() {
  {
    absl::MutexLock lock(&mu_);
    hurry_ = true;
  }
  wakeup_.Notify();
  background_.Wake();
}

void ConnectionPoller::Stop() {
  wakeup_.Notify();
  background_.Wake();
}

void ConnectionPoller::JobsChanged() {
  background_.JobsChanged();
  wakeup_.Notify();
}

Task<absl::StatusOr<std::int64_t>> ConnectionPoller::CountOrders(JobSpec spec, StillWanted wanted) {
  // A person waits for the answer, who can do something about it.
  if (context_->ingest.Full()) co_return DiskFullError();
  auto connection = co_await Load();
  CO_RETURN_IF_ERROR(connection);
  OrderIngest::Manner manner;
  manner.priority = LanePriority::kRequest;
  IngestSubject subject = Subject(std::move(*connection));
  subject.go_on = std::move(wanted);
  OrderIngest ingest(context_->ingest, context_->options, std::move(subject), std::move(manner));
  auto step = co_await ingest.Begin();
  CO_RETURN_IF_ERROR(step);
  JobProgress progress;
  const RangeListing listing(spec, context_->options.page_size);
  CO_RETURN_IF_ERROR(co_await listing.Count(ingest, progress));
  co_return progress.total;
}

Task<void> ConnectionPoller::Run(bool spread) {
  const Clock& clock = context_->ingest.clock;
  bool placed = !spread;
  while (!context_->ingest.stopping()) {
    if (!placed) {
      const auto connection = co_await Load();
      if (connection.ok()) {
        absl::MutexLock lock(&mu_);
        gate_.FirstIn(connection->connection.settings.interval * context_->random.Unit(),
                      clock.Read());
        placed = true;
      }
    }
    auto wait = co_await Turn();
    if (absl::IsNotFound(wait.status())) co_return;
    if (!wait.ok()) wait = kStoreRetry;
    if (*wait <= absl::ZeroDuration()) continue;
    const absl::Duration other = Attend();
    co_await context_->sleeper.Sleep(std::min(*wait, other), &wakeup_);
    absl::MutexLock lock(&mu_);
    if (std::exchange(hurry_, false)) gate_.Hurry(clock.Read());
  }
}

absl::Duration ConnectionPoller::Attend() {
  const absl::Duration wait = background_.Wait();
  if (wait > absl::ZeroDuration()) return wait;
  if (!background_.Begin()) return absl::InfiniteDuration();
  context_->tasks.Spawn(RunBackground(shared_from_this()));
  return absl::InfiniteDuration();
}

Task<void> ConnectionPoller::RunBackground(std::shared_ptr<ConnectionPoller> self) {
  co_await self->background_.Run();
  self->wakeup_.Notify();  // the loop asks when there is something to do again
}

// The functions live no longer than the background work, and this no shorter.
BackgroundWork::Host ConnectionPoller::BackgroundHost() {
  BackgroundWork::Host host;
  host.load = [this] { return Load(); };
  host.subject = [this](ConnectionWithState connection) {
    IngestSubject subject = Subject(std::move(connection));
    subject.go_on = [this, client = subject.client]() -> absl::Status {
      absl::MutexLock lock(&mu_);
      if (link_.client() != client) return SettingsChangedError();
      if (context_->ingest.Full() || !gate_.HeldBy(context_->ingest.clock.Read()).empty())
        return HeldError();
      return absl::OkStatus();
    };
    return subject;
  };
  host.held_by = [this]() -> std::string {
    if (context_->ingest.Full()) return "disk";
    absl::MutexLock lock(&mu_);
    return std::string(gate_.HeldBy(context_->ingest.clock.Read()));
  };
  host.undecided = [this](const std::vector<OrderId>& orders) {
    absl::MutexLock lock(&mu_);
    undecided_.insert(undecided_.end(), orders.begin(), orders.end());
  };
  host.hold = [this](absl::Duration duration) {
    absl::MutexLock lock(&mu_);
    gate_.Hold(duration, context_->ingest.clock.Read());
  };
  return host;
}

Task<absl::StatusOr<ConnectionWithState>> ConnectionPoller::Load() {
  auto work = [&connections = context_->ingest.connections, id = id_] {
    return connections.Get(id);
  };
  auto connection = co_await Offload(context_->ingest.storage_pool, std::move(work));
  if (!connection.ok()) {
    if (!absl::IsNotFound(connection.status())) {
      context_->ingest.log.Warning("cannot read a connection",
                                   {{"connection", id_}, {"error", connection.status()}});
    }
    co_return connection.status();
  }
  {
    absl::MutexLock lock(&mu_);
    gate_.Load(*connection, context_->ingest.clock.Read());
    // What was held against the old settings says nothing about the new ones.
    if (link_.Use(*connection)) gate_.Reset(context_->ingest.clock.Read());
  }
  background_.Load(*connection);
  co_return connection;
}

Task<absl::StatusOr<absl::Duration>> ConnectionPoller::Turn() {
  auto pass = co_await passes_.Acquire(LanePriority::kPoll);
  auto connection = co_await Load();
  CO_RETURN_IF_ERROR(connection);
  absl::Duration wait;
  {
    absl::MutexLock lock(&mu_);
    wait = gate_.Wait(*connection, context_->ingest.clock.Read());
  }
  if (wait > absl::ZeroDuration() || context_->ingest.stopping()) co_return wait;
  if (context_->ingest.Full())
    co_return std::min(connection->connection.settings.interval, kLongestFull);
  const auto result = co_await RunPass(std::move(*connection), /*forced=*/false);
  // The connection is gone: Load finds out. Everything else is settled.
  co_return absl::ZeroDuration();
}

Task<absl::StatusOr<PassResult>> ConnectionPoller::PollNow(StillWanted wanted) {
  auto pass = co_await passes_.Acquire(LanePriority::kPoll);
  if (context_->ingest.stopping()) co_return StoppingError();
  if (wanted) CO_RETURN_IF_ERROR(wanted());
  if (context_->ingest.Full()) co_return DiskFullError();
  auto connection = co_await Load();
  CO_RETURN_IF_ERROR(connection);
  co_return co_await RunPass(std::move(*connection), /*forced=*/true);
}

Task<absl::StatusOr<PassResult>> ConnectionPoller::RunPass(ConnectionWithState connection,
                                                           bool forced) {
  const Clock& clock = context_->ingest.clock;
  EndedPass pass;
  pass.began = clock.Read();
  pass.kind = connection.state.HasBegun() ? "poll" : "start";
  {
    absl::MutexLock lock(&mu_);
    gate_.Begin(pass.began, forced);
  }
  co_await SaveBreaker();
  const bool lines = forced || pass.began.mono >= lines_due_;
  pass.end = co_await RunParts(connection, lines, pass.result);
  pass.result.duration = clock.Monotonic() - pass.began.mono;
  const PassResult result = pass.result;
  const absl::Status end = pass.end;
  if (end.ok() && lines)
    lines_due_ = pass.began.mono + connection.connection.settings.line_interval;
  co_await Settle(std::move(connection), std::move(pass));
  if (!end.ok()) co_return end;
  co_return result;
}

Task<absl::Status> ConnectionPoller::RunParts(ConnectionWithState connection, bool lines,
                                              PassResult& result) {
  IngestSubject subject = Subject(connection);
  bool edited = false;
  {
    absl::MutexLock lock(&mu_);
    edited = link_.edited();
  }
  CO_RETURN_IF_ERROR(co_await facts_.Learn(subject, edited));
  if (memory_of_.lock() != subject.client) {
    memory_ = PassMemory();
    memory_of_ = subject.client;
  }
  {
    absl::MutexLock lock(&mu_);
    memory_.suspects.insert(memory_.suspects.end(), undecided_.begin(), undecided_.end());
    undecided_.clear();
  }
  OrderIngest ingest(context_->ingest, context_->options, std::move(subject),
                     OrderIngest::Manner());
  if (!connection.state.HasBegun()) {
    ConnectionStart::Fixed fixed = [this, begins = connection.connection](absl::Time started) {
      return MakeStartJob(begins, started);
    };
    ConnectionStart start(context_->options, ingest, std::move(fixed));
    const absl::Status begun = co_await start.Run();
    AddTo(result, ingest.result());
    co_return begun;
  }
  PollCycle cycle(context_->options, ingest, memory_);
  absl::Status end = co_await cycle.Poll();
  AddTo(result, ingest.result());
  if (!end.ok() || !lines) co_return end;
  ingest.BeginPart(LanePriority::kRequest);
  LineQuery query(context_->options, ingest);
  end = co_await query.Run();
  AddTo(result, ingest.result());
  // No later line query names what this one could not decide.
  memory_.suspects.insert(memory_.suspects.end(), ingest.undecided().begin(),
                          ingest.undecided().end());
  co_return end;
}

Task<absl::Status> ConnectionPoller::MakeStartJob(Connection connection, absl::Time started) {
  auto work = [&deps = context_->ingest, &jobs = context_->jobs, connection = std::move(connection),
               started] {
    return EnsureStartJob(jobs, connection, started, deps.clock.Now(), deps.log);
  };
  const absl::Status made = co_await Offload(context_->ingest.storage_pool, std::move(work));
  background_.JobsChanged();
  co_return made;
}

IngestSubject ConnectionPoller::Subject(ConnectionWithState connection) {
  IngestSubject subject;
  subject.connection = std::move(connection);
  subject.lane = lane_;
  absl::MutexLock lock(&mu_);
  subject.client = link_.client();
  subject.turn = link_.turn();
  if (torn_of_.lock() != subject.client) {
    torn_ = std::make_shared<TornOrders>();
    torn_of_ = subject.client;
  }
  subject.torn = torn_;
  return subject;
}

Task<void> ConnectionPoller::Settle(ConnectionWithState connection, EndedPass pass) {
  const bool ok = pass.end.ok();
  if (context_->ingest.stopping() || IsInterruption(pass.end)) {
    absl::MutexLock lock(&mu_);
    gate_.Interrupted();
    co_return;
  }
  PassVerdict verdict;
  {
    absl::MutexLock lock(&mu_);
    verdict = gate_.End(pass.end, connection.connection.settings, context_->ingest.clock.Read(),
                        context_->random.Unit(), context_->random.Unit());
  }
  facts_.PassEnded(ok);
  if (ok) background_.Polled();
  co_await SaveBreaker();
  const bool suspended = connection.state.suspension.has_value();
  co_await records_.Suspension(suspended, ok, std::move(verdict));
  odoo::Session session = Subject(connection).client->session();
  co_await records_.Pass(std::move(connection), std::move(session), std::move(pass));
}

Task<void> ConnectionPoller::SaveBreaker() {
  auto write = [this]() -> absl::Status {
    absl::MutexLock saving(&saving_);
    BreakerRecord record;
    {
      absl::MutexLock lock(&mu_);
      record = gate_.breaker();
    }
    if (record == saved_) return absl::OkStatus();
    RETURN_IF_ERROR(context_->ingest.connections.SaveBreaker(id_, Leg::kOdoo, record,
                                                             context_->ingest.clock.Now()));
    if (record.state != saved_.state) context_->metrics.BreakerChanged(record.state);
    saved_ = std::move(record);
    return absl::OkStatus();
  };
  co_await records_.Note("store the breaker", std::move(write));
}

Task<absl::StatusOr<ResendResult>> ConnectionPoller::Resend(ResendRequest request, Actor actor,
                                                            StillWanted wanted) {
  auto connection = co_await Load();
  CO_RETURN_IF_ERROR(connection);
  OrderIngest::Manner manner;
  manner.mode = IngestMode::kResend;
  manner.priority = LanePriority::kRequest;
  manner.dry_run = request.dry_run;
  manner.name_orders = true;
  manner.actor = std::move(actor);
  const Instant began = context_->ingest.clock.Read();
  const bool dry_run = request.dry_run;
  SyncLog log;
  log.connection = id_;
  log.connection_name = connection->connection.settings.name;
  log.kind = "resend";
  log.started_at = began.wall;
  IngestSubject subject = Subject(std::move(*connection));
  subject.go_on = std::move(wanted);
  OrderIngest ingest(context_->ingest, context_->options, std::move(subject), std::move(manner));
  auto sent = co_await ResendOrders(ingest, std::move(request));
  if (dry_run || IsInterruption(sent.status())) co_return sent;
  log.duration = context_->ingest.clock.Monotonic() - began.mono;
  log.listed = static_cast<std::int64_t>(ingest.read().size());
  log.recorded = ingest.result().recorded + ingest.result().cancelled;
  log.unchanged = ingest.requeued();
  log.dead = ingest.result().dead;
  if (!sent.ok()) log.error = std::string(Message(sent.status()));
  co_await records_.Log("log a resend", std::move(log));
  co_return sent;
}

Task<absl::Status> ConnectionPoller::Reset(Actor actor) {
  const auto connection = co_await Load();
  CO_RETURN_IF_ERROR(connection);
  {
    absl::MutexLock lock(&mu_);
    gate_.Reset(context_->ingest.clock.Read());
  }
  co_await SaveBreaker();
  auto work = [&connections = context_->ingest.connections, id = id_, actor = std::move(actor),
               now = context_->ingest.clock.Now()] {
    return connections.EndSuspension(id, actor, now);
  };
  const absl::Status status = co_await Offload(context_->ingest.storage_pool, std::move(work));
  Refresh();
  co_return status;
}

}  // namespace poller
