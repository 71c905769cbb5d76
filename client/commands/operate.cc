// pause, resume, test, poll, reset-circuit
#include <fmt/format.h>

#include <memory>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/test_report.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::ConnectionService;

// A poll that finds much reads and stores all of it before it answers.
constexpr absl::Duration kPollPatience = absl::Minutes(10);

struct PauseOptions {
  std::string id;
  bool polling = false, delivery = false;
  api::PauseScope Scope() const {
    if (polling == delivery) return api::PAUSE_SCOPE_BOTH;
    return polling ? api::PAUSE_SCOPE_POLLING : api::PAUSE_SCOPE_DELIVERY;
  }
  std::string What() const {
    return polling == delivery ? "" : polling ? "polling of " : "delivery of ";
  }
};

template <class Response>
int PrintDone(Session& session, const Response& response, const std::string& what) {
  if (session.table()) {
    session.io().out << what << '\n';
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

int Pause(Session& session, const PauseOptions& options) {
  api::PauseConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(options.id);
  request.set_scope(options.Scope());
  api::PauseConnectionResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::PauseConnection, request, response);
  if (!status.ok()) return session.Fail(status);
  return PrintDone(session, response,
                   fmt::format("{}{} is paused", options.What(), Named(response.connection())));
}

int Resume(Session& session, const PauseOptions& options) {
  api::ResumeConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(options.id);
  request.set_scope(options.Scope());
  api::ResumeConnectionResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::ResumeConnection, request, response);
  if (!status.ok()) return session.Fail(status);
  return PrintDone(session, response,
                   fmt::format("{}{} goes on", options.What(), Named(response.connection())));
}

int Poll(Session& session, const std::string& id) {
  api::PollConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(id);
  api::PollConnectionResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::PollConnection, request, response, kPollPatience);
  if (!status.ok()) return session.Fail(status);
  const int code = response.error().empty() ? kDone : kRefused;
  if (!session.table()) {
    session.PrintMessage(response);
    return code;
  }
  const api::SyncCounts& counts = response.counts();
  session.io().out << fmt::format("{} new or changed, {} unchanged, {} dead, of {} listed, in {}\n",
                                  counts.recorded(), counts.unchanged(), counts.dead(),
                                  counts.listed(), ShortDuration(ToDuration(response.duration())));
  if (code != kDone) {
    session.io().out.flush();
    session.Note(
        fmt::format("pollerctl: the poll failed: {}\n  hint: pollerctl test {} shows what is wrong",
                    Printable(response.error()), id));
  }
  return code;
}

int ResetCircuit(Session& session, const std::string& id) {
  api::ResetCircuitRequest request;
  *request.mutable_connection() = ParseConnectionRef(id);
  api::ResetCircuitResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::ResetCircuit, request, response);
  if (!status.ok()) return session.Fail(status);
  return PrintDone(session, response,
                   fmt::format("{}: everything is tried again now", Named(response.connection())));
}

void RegisterPauses(Registry& registry) {
  auto pause = std::make_shared<PauseOptions>();
  CLI::App& pause_verb =
      registry.Verb(kShops, "pause", "Stop polling, delivery, or both, until resumed",
                    "pollerctl pause shop1\npollerctl pause shop1 --delivery",
                    [pause](Session& session) { return Pause(session, *pause); });
  pause_verb.add_option("ID", pause->id, "Number or exact name")->required();
  pause_verb.add_flag("--polling", pause->polling, "Only reading from Odoo");
  pause_verb.add_flag("--delivery", pause->delivery, "Only sending; what is found waits");

  auto resume = std::make_shared<PauseOptions>();
  CLI::App& resume_verb =
      registry.Verb(kShops, "resume", "Let polling, delivery, or both go on",
                    "pollerctl resume shop1\npollerctl resume shop1 --polling",
                    [resume](Session& session) { return Resume(session, *resume); });
  resume_verb.add_option("ID", resume->id, "Number or exact name")->required();
  resume_verb.add_flag("--polling", resume->polling, "Only reading from Odoo");
  resume_verb.add_flag("--delivery", resume->delivery, "Only sending");
}

void RegisterWithId(Registry& registry, const char* name, const char* description,
                    const char* examples, int (*run)(Session&, const std::string&)) {
  auto id = std::make_shared<std::string>();
  registry
      .Verb(kShops, name, description, examples,
            [id, run](Session& session) { return run(session, *id); })
      .add_option("ID", *id, "Number or exact name")
      ->required();
}

}  // namespace

void RegisterOperate(Registry& registry) {
  RegisterPauses(registry);
  RegisterWithId(registry, "test", "Check a shop step by step: network, login, rights, webhook",
                 "pollerctl test shop1\npollerctl test shop1 || echo broken", RunTest);
  RegisterWithId(registry, "poll", "Poll now and show the result", "pollerctl poll shop1", Poll);
  RegisterWithId(registry, "reset-circuit",
                 "Close the breakers and end a suspension: try everything again now",
                 "pollerctl reset-circuit shop1", ResetCircuit);
}

}  // namespace poller::client
