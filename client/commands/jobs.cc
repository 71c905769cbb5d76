// backfill, reconcile, jobs
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client/arguments.h"
#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/job_view.h"
#include "client/commands/job_watch.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "client/watch_flag.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "odoopoller/v1/job_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::JobService;

constexpr absl::Duration kPatience = absl::Minutes(2);  // Odoo counts meanwhile

// ---------------------------------------------------------------- backfill, reconcile

struct StartOptions {
  std::string connection, since, until;
  bool repair = false, dry_run = false, yes = false, no_wait = false;
};

// False: said what is wrong.
bool ReadTime(Session& session, const char* flag, const std::string& text,
              google::protobuf::Timestamp& proto) {
  const absl::StatusOr<absl::Time> time = ParseTimeOrAge(text, session.now());
  if (!time.ok()) {
    session.WrongUsage(fmt::format("{}: {}", flag, Message(time.status())));
    return false;
  }
  proto.set_seconds(absl::ToUnixSeconds(*time));
  return true;
}

template <class Request>
bool FillRequest(Session& session, const StartOptions& options, Request& request) {
  *request.mutable_connection() = ParseConnectionRef(options.connection);
  if (!options.since.empty() &&
      !ReadTime(session, "--since", options.since, *request.mutable_since_time()))
    return false;
  return options.until.empty() ||
         ReadTime(session, "--until", options.until, *request.mutable_until_time());
}

// Counts, asks, starts and follows. `deliver`: it may cause deliveries, so a person is asked.
template <class Request, class Response>
int Start(Session& session, const StartOptions& options, Request request,
          grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
          const std::string& what, bool deliver) {
  if (!FillRequest(session, options, request)) return kUsage;
  if (deliver && !options.dry_run &&
      !CanBeAsked(session, options.yes, "--yes, or with --dry-run to see how many orders it means"))
    return kUsage;
  const auto stub = session.Stub<Service>();
  Response counted;
  request.set_validate_only(true);
  grpc::Status status = session.Call(*stub, method, request, counted, kPatience);
  if (!status.ok()) return session.Fail(status);
  const std::string count = Counted(counted.order_count(), "order", "orders");
  if (options.dry_run) {
    if (session.table()) {
      session.io().out << fmt::format("{} in that range\n", count);
    } else {
      session.PrintMessage(counted);
    }
    return kDone;
  }
  session.Note(fmt::format("{} in that range", count));
  int code = kDone;
  if (deliver && !Agreed(session, options.yes, what + "?", code)) return code;
  request.set_validate_only(false);
  Response response;
  status = session.Call(*stub, method, request, response);
  if (!status.ok()) return session.Fail(status);
  const api::Job& job = response.job();
  if (!options.no_wait) return WatchJob(session, job.id());
  if (!session.table()) {
    session.PrintMessage(response);
  } else {
    session.io().out << fmt::format("{} is started: pollerctl jobs watch {} shows it\n", Named(job),
                                    job.id());
  }
  return kDone;
}

int Backfill(Session& session, const StartOptions& options) {
  return Start(session, options, api::StartBackfillRequest(), &Service::Stub::StartBackfill,
               "Deliver those of them that were never delivered", true);
}

int Reconcile(Session& session, const StartOptions& options) {
  api::StartReconcileRequest request;
  request.set_repair(options.repair);
  return Start(session, options, request, &Service::Stub::StartReconcile,
               "Compare them, and deliver what is missing or differs", options.repair);
}

// ---------------------------------------------------------------- jobs

struct ListOptions {
  std::string connection;
  bool unfinished = false;
  std::int64_t count = 20;
};

int List(Session& session, const ListOptions& options) {
  api::ListJobsRequest request;
  if (!options.connection.empty())
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  request.set_unfinished(options.unfinished);
  api::ListJobsResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      ListUpTo(session, *stub, &Service::Stub::ListJobs, request, response, options.count,
               [](const api::ListJobsResponse& all) -> std::int64_t { return all.jobs_size(); });
  if (!status.ok()) return session.Fail(status);
  if (!session.table()) {
    PrintList(session, response, response.jobs());
  } else if (response.jobs().empty()) {
    session.Note(options.unfinished ? "no job is under way" : "there are no jobs");
  } else {
    PrintJobs(session, response.jobs());
  }
  if (!response.next_page_token().empty())
    session.Note(fmt::format("there are more: -n shows more than {}", options.count));
  return kDone;
}

int Show(Session& session, std::int64_t id) {
  api::GetJobRequest request;
  request.set_job_id(id);
  api::GetJobResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::GetJob, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    PrintJob(session, response.job());
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

int Cancel(Session& session, std::int64_t id) {
  api::CancelJobRequest request;
  request.set_job_id(id);
  api::CancelJobResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::CancelJob, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    session.io().out << fmt::format("{} is cancelled: {}\n", Named(response.job()),
                                    ProgressText(response.job()));
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

CLI::App& RegisterStart(Registry& registry, const char* name, const char* description,
                        const char* examples, int (*run)(Session&, const StartOptions&),
                        const std::shared_ptr<StartOptions>& options) {
  CLI::App& verb =
      registry.Verb(kOrders, name, description, examples,
                    [options, run](Session& session) { return run(session, *options); });
  verb.add_option("-c,--connection", options->connection, "The shop: number or exact name")
      ->type_name("ID")
      ->required();
  verb.add_option("--until", options->until, "Orders dated before this time, or age [now]")
      ->type_name("TIME");
  verb.add_flag("--dry-run", options->dry_run, "Only say how many orders the range has");
  verb.add_flag("--no-wait", options->no_wait, "Start it, and do not follow it");
  return verb;
}

void RegisterWithNumber(Registry& registry, CLI::App& jobs, const char* name,
                        const char* description, int (*run)(Session&, std::int64_t)) {
  auto id = std::make_shared<std::int64_t>(0);
  registry
      .SubVerb(jobs, name, description, fmt::format("pollerctl jobs {} 7", name),
               [id, run](Session& session) { return run(session, *id); })
      .add_option("N", *id, "The job: see pollerctl jobs list")
      ->required()
      ->check(WholeNumber(1, "the number of a job, as pollerctl jobs lists them"));
}

void AddListFlags(CLI::App& verb, ListOptions& options) {
  verb.add_option("-c,--connection", options.connection, "Only this shop: number or exact name")
      ->type_name("ID");
  verb.add_flag("--unfinished", options.unfinished, "Only those that are not over");
  verb.add_option("-n", options.count, "At most so many [20]")->type_name("COUNT")->check(Count());
}

}  // namespace

void RegisterJobs(Registry& registry) {
  auto backfill = std::make_shared<StartOptions>();
  CLI::App& backfill_verb = RegisterStart(
      registry, "backfill", "Deliver a shop's history: what was never delivered",
      "pollerctl backfill -c shop1 --since 30d --dry-run    how many orders it means\n"
      "pollerctl backfill -c shop1 --since 2026-01-01       asks, and follows the job",
      Backfill, backfill);
  backfill_verb.add_option("--since", backfill->since, "Orders dated since this time, or age")
      ->type_name("TIME")
      ->required();
  backfill_verb.add_flag("-y,--yes", backfill->yes, "Do not ask");

  auto reconcile = std::make_shared<StartOptions>();
  reconcile->since = "7d";
  CLI::App& reconcile_verb = RegisterStart(
      registry, "reconcile", "Compare a shop's orders with what was delivered",
      "pollerctl reconcile -c shop1                     exit code 6: something differs\n"
      "pollerctl reconcile -c shop1 --since 30d --repair",
      Reconcile, reconcile);
  reconcile_verb
      .add_option("--since", reconcile->since, "Orders dated since this time, or age [7d]")
      ->type_name("TIME");
  reconcile_verb.add_flag("--repair", reconcile->repair, "Deliver what is missing or differs");
  reconcile_verb.add_flag("-y,--yes", reconcile->yes, "Do not ask");

  auto list = std::make_shared<ListOptions>();
  CLI::App& jobs =
      registry.Verb(kOrders, "jobs", "List, show, watch and cancel backfills and reconciles",
                    "pollerctl jobs\npollerctl jobs watch 7\npollerctl jobs cancel 7",
                    [list](Session& session) { return List(session, *list); });
  AddListFlags(jobs, *list);
  AddWatch(registry, jobs);
  CLI::App& list_verb =
      registry.SubVerb(jobs, "list", "List jobs, the newest first", "pollerctl jobs list -c shop1",
                       [list](Session& session) { return List(session, *list); });
  AddListFlags(list_verb, *list);
  AddWatch(registry, list_verb);
  RegisterWithNumber(registry, jobs, "show", "Show a job, and the differences that it found", Show);
  RegisterWithNumber(registry, jobs, "watch", "Follow a job to its end; Ctrl-C detaches", WatchJob);
  RegisterWithNumber(registry, jobs, "cancel", "End a job; what it did stays done", Cancel);
}

}  // namespace poller::client
