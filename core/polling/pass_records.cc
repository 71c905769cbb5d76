#include "core/polling/pass_records.h"

#include <utility>
#include <vector>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {

Task<void> PassRecords::Suspension(bool suspended, bool ok, PassVerdict verdict) {
  ConnectionStore& connections = context_.ingest.connections;
  if (ok && suspended) {
    const absl::Time now = context_.ingest.clock.Now();
    auto resume = [&connections, id = id_, now] {
      return connections.EndSuspension(id, Actor(), now);
    };
    co_await Note("end a suspension", std::move(resume));
  }
  if (verdict.suspend_reason.empty()) co_return;
  if (!suspended) {
    context_.metrics.Suspended(verdict.suspend_reason);
    context_.ingest.log.Warning("a connection is suspended", {{"connection", id_},
                                                              {"reason", verdict.suspend_reason},
                                                              {"error", verdict.suspend_message}});
  }
  poller::Suspension suspension;
  suspension.reason = std::move(verdict.suspend_reason);
  suspension.message = std::move(verdict.suspend_message);
  suspension.since = context_.ingest.clock.Now();
  auto suspend = [&connections, id = id_, suspension] {
    return connections.Suspend(id, suspension);
  };
  co_await Note("suspend", std::move(suspend));
}

Task<void> PassRecords::Pass(ConnectionWithState connection, odoo::Session session,
                             EndedPass pass) {
  const absl::Status& end = pass.end;
  ConnectionStore& connections = context_.ingest.connections;
  const std::string failure = end.ok() ? "" : FailureClass(end);
  const bool news = failure != std::exchange(last_failure_, failure);
  const std::string error = end.ok() ? "" : std::string(Message(end));
  context_.metrics.Pass(end.ok() ? "ok" : failure, pass.result);
  std::vector<LogField> fields{{"connection", id_},
                               {"recorded", pass.result.recorded},
                               {"dead", pass.result.dead},
                               {"cancelled", pass.result.cancelled},
                               {"duration", poller::FormatDuration(absl::Trunc(
                                                pass.result.duration, absl::Milliseconds(1)))}};
  if (!end.ok()) {
    fields.emplace_back("error", end);
    context_.ingest.log.Write(news ? LogLevel::kWarning : LogLevel::kDebug, "a poll failed",
                              fields);
  } else if (pass.result.Found() > 0) {
    context_.ingest.log.Info("a poll found orders", fields);
  }
  if (session.uid != connection.state.odoo_uid ||
      session.server_version != connection.state.odoo_version ||
      session.protocol != connection.state.odoo_protocol) {
    auto store = [&connections, id = id_, session] {
      return connections.SaveOdooSession(id, session.uid, session.server_version, session.protocol);
    };
    co_await Note("store the login", std::move(store));
  }
  LastPoll last;
  last.at = pass.began.wall;
  last.duration = pass.result.duration;
  last.found = pass.result.Found();
  last.error = error;
  const absl::Time now = context_.ingest.clock.Now();
  auto record = [&connections, id = id_, last, now] {
    return connections.RecordPoll(id, last, now);
  };
  co_await Note("record a poll", std::move(record));
  if (end.ok() || (!news && pass.result.Found() == 0)) co_return;
  SyncLog log;
  log.connection = id_;
  log.connection_name = connection.connection.settings.name;
  log.kind = pass.kind;
  log.started_at = pass.began.wall;
  log.duration = pass.result.duration;
  log.listed = pass.result.listed;
  log.recorded = pass.result.recorded + pass.result.cancelled;
  log.unchanged = pass.result.unchanged;
  log.dead = pass.result.dead;
  log.error = error;
  co_await Log("log a pass", std::move(log));
}

Task<void> PassRecords::Log(std::string what, SyncLog log) {
  auto append = [&logs = context_.sync_logs, log = std::move(log)] { return logs.Append(log); };
  co_await Note(std::move(what), std::move(append));
}

Task<void> PassRecords::Note(std::string what, std::function<absl::Status()> write) {
  const absl::Status status = co_await Offload(context_.ingest.storage_pool, std::move(write));
  if (status.ok() || absl::IsNotFound(status)) co_return;
  context_.ingest.log.Warning("cannot " + what, {{"connection", id_}, {"error", status}});
}

}  // namespace poller
