// status, backup, version
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "client/watch_flag.h"
#include "core/base/text.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::AdminService;

Cell Count(std::int64_t count, Colour when_any) {
  return {std::to_string(count), count > 0 ? when_any : Colour::kNone};
}

void PrintStatus(Session& session, const api::GetServerStatusResponse& status) {
  Fields fields;
  fields.Add("Server", fmt::format("{}, version {}", session.server(), status.version()));
  fields.Add("Runs since", fmt::format("{} ({})", Ago(session, status.start_time()),
                                       poller::FormatTime(ToTime(status.start_time()))));
  fields.Add("Connections", std::to_string(status.connection_count()));
  fields.Add("  unhealthy", Count(status.unhealthy_count(), Colour::kBad));
  fields.Add("  suspended", Count(status.suspended_count(), Colour::kBad));
  if (status.expiring_key_count() > 0) {
    fields.Add("  key ends soon", Count(status.expiring_key_count(), Colour::kWarn));
  }
  fields.Add("  paused", Count(status.paused_count(), Colour::kWarn));
  std::string waiting = std::to_string(status.waiting_count());
  if (status.waiting_count() > 0)
    waiting += ", the oldest since " + Ago(session, status.oldest_waiting_time());
  fields.Add("Waiting", waiting);
  fields.Add("Dead", Count(status.dead_count(), Colour::kBad));
  if (status.held_count() > 0) {
    fields.Add("Held", Cell(fmt::format("{} connections after a restore, each until a poll and a "
                                        "sweep of it are complete",
                                        status.held_count()),
                            Colour::kWarn));
  }
  const api::EventLogStatus& log = status.event_log();
  fields.Add("Events kept",
             log.oldest_sequence() > log.newest_sequence()
                 ? "none"
                 : fmt::format("{} to {}", log.oldest_sequence(), log.newest_sequence()));
  fields.Add("Database",
             fmt::format("{:.1f} MiB", static_cast<double>(status.database_bytes()) / (1 << 20)));
  if (status.has_disk_free_bytes()) {
    const std::string free =
        fmt::format("{:.1f} GiB free", static_cast<double>(status.disk_free_bytes()) / (1 << 30));
    fields.Add("Disk", status.disk_low()
                           ? Cell(free + ": nearly full, polling stands still", Colour::kBad)
                           : Cell(free));
  }
  fields.Print(session.io().out, session.look());
}

int Status(Session& session) {
  api::GetServerStatusResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::GetServerStatus, api::GetServerStatusRequest(), response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    PrintStatus(session, response);
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

int Backup(Session& session, const std::string& name) {
  api::BackupDatabaseRequest request;
  request.set_name(name);
  api::BackupDatabaseResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::BackupDatabase, request, response, absl::Hours(2));
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    session.io().out << fmt::format("{}: {:.1f} MiB, in {}\n", Printable(response.path()),
                                    static_cast<double>(response.size_bytes()) / (1 << 20),
                                    ShortDuration(ToDuration(response.duration())));
    session.io().out.flush();
    session.Note("It is sealed with the encryption key, which it does not hold: keep both, apart");
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

// Works without a server: the server's version is added if it answers at once.
int Version(Session& session) {
  api::GetServerStatusResponse response;
  const auto stub = session.Stub<Service>();
  const bool answered = session
                            .Call(*stub, &Service::Stub::GetServerStatus,
                                  api::GetServerStatusRequest(), response, absl::Seconds(2))
                            .ok();
  std::ostream& out = session.io().out;
  const std::string server = answered ? Printable(response.version()) : "";
  if (session.table()) {
    out << fmt::format("pollerctl {}\n", POLLER_VERSION);
    if (answered) out << fmt::format("pollerd   {} at {}\n", server, session.server());
    out.flush();
  } else {
    // Not a message of the API: the client's own version is in none.
    out << boost::json::serialize(
               boost::json::object{{"client", POLLER_VERSION}, {"server", server}})
        << '\n';
  }
  if (answered && server != POLLER_VERSION) {
    session.Note(
        "pollerctl: the versions differ: what is newer in one of them is unknown to the other");
  }
  return kDone;
}

}  // namespace

void RegisterStatus(Registry& registry) {
  AddWatch(registry, registry.Verb(kServer, "status", "Show how the server is, in numbers",
                                   "pollerctl status\npollerctl status --watch\n"
                                   "pollerctl status --watch -o jsonl >> status.jsonl",
                                   Status));
  auto name = std::make_shared<std::string>();
  registry
      .Verb(kServer, "backup", "Copy the database into the server's folder of backups",
            "pollerctl backup $(date +%F).db\n"
            "pollerd restore FILE             on the server, stopped: puts it back",
            [name](Session& session) { return Backup(session, *name); })
      .add_option("NAME", *name, "Name of the file")
      ->required();
  registry.Verb(kServer, "version", "Show the versions of client and server", "pollerctl version",
                Version);
}

}  // namespace poller::client
