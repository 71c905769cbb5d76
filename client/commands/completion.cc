// completion, and the hidden __complete that its scripts ask
#include "client/completion.h"

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/completion_scripts.h"
#include "client/commands/connection_view.h"
#include "client/commands/delivery_view.h"
#include "client/commands/event_text.h"
#include "client/commands/job_view.h"
#include "client/commands/order_view.h"
#include "client/contexts.h"
#include "client/output/text.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"
#include "odoopoller/v1/job_service.grpc.pb.h"
#include "odoopoller/v1/retry_queue_service.grpc.pb.h"

namespace poller::client {
namespace {

constexpr const char* kPatience = "1500ms";  // nobody waits longer for a key
constexpr int kMost = 500;                   // candidates that are asked for
constexpr std::size_t kDescriptionWidth = 60;

// Answers the sources that need a server. Errors are silence: a prompt is no place for them.
class Lookup {
 public:
  Lookup(const Place& place, const GlobalFlags& flags, Io& io)
      : place_(place),
        flags_(flags),
        quiet_{io.in, nowhere_, nowhere_, io.terminal, io.interrupt, io.clock, io.env} {}

  std::vector<Candidate> Run() {
    switch (place_.source) {
      case Source::kContexts:
        Contexts();
        break;
      case Source::kEventTypes:
        EventTypeNames();
        break;
      case Source::kConnections:
      case Source::kJobs:
      case Source::kDeliveries:
      case Source::kOrders:
        AskServer();
        break;
      default:
        break;
    }
    return std::move(found_);
  }

 private:
  void Add(const std::string& value, const std::string& description) {
    // What cannot be typed as it is shown, or would be taken for a flag, is not offered.
    if (!value.starts_with(place_.typed) || value.starts_with("-") || Printable(value) != value)
      return;
    found_.push_back({value, description});
  }

  void Contexts() {
    const std::string path = ContextsPath(quiet_.env);
    if (path.empty()) return;
    const auto contexts = LoadContexts(path, quiet_.env("HOME").value_or(""));
    if (!contexts.ok()) return;
    for (const auto& [name, context] : contexts->named) Add(name, context.server);
  }

  void EventTypeNames() {
    std::istringstream names(AllEventNames());
    for (std::string name; names >> name;) {
      if (name.ends_with(',')) name.pop_back();
      Add(name, "");
    }
  }

  void AskServer() {
    auto options = Resolve(flags_, quiet_);
    if (!options.ok()) return;
    options->timeout = kPatience;
    Session session(quiet_, *std::move(options));
    if (session.Open() != kDone) return;
    if (place_.source == Source::kConnections) Connections(session);
    if (place_.source == Source::kJobs) Jobs(session);
    if (place_.source == Source::kDeliveries) Deliveries(session);
    if (place_.source == Source::kOrders) Orders(session);
  }

  // The first page of a list; empty if there is no answer.
  template <class Service, class Request, class Response>
  static Response FirstPage(Session& session,
                            grpc::Status (Service::Stub::*list)(grpc::ClientContext*,
                                                                const Request&, Response*)) {
    Request request;
    request.set_page_size(kMost);
    Response response;
    const auto stub = session.Stub<Service>();
    session.Call(*stub, list, request, response);
    return response;
  }

  void Connections(Session& session) {
    using Service = api::ConnectionService;
    const auto response = FirstPage<Service>(session, &Service::Stub::ListConnections);
    for (const api::Connection& connection : response.connections())
      Add(connection.name(), HealthCell(connection).text);
  }

  void Jobs(Session& session) {
    using Service = api::JobService;
    const auto response = FirstPage<Service>(session, &Service::Stub::ListJobs);
    for (const api::Job& job : response.jobs()) {
      Add(std::to_string(job.id()), fmt::format("{} of {}, {}", KindName(job.kind()),
                                                job.connection_name(), StateName(job.state())));
    }
  }

  void Deliveries(Session& session) {
    using Service = api::RetryQueueService;
    const auto response = FirstPage<Service>(session, &Service::Stub::ListRetries);
    for (const api::Delivery& delivery : response.deliveries()) {
      Add(std::to_string(delivery.id()),
          fmt::format("{} of {}, {}", delivery.order_name(), delivery.connection_name(),
                      StatusCell(delivery.status()).text));
    }
  }

  void Orders(Session& session) {
    api::ListOrdersResponse response;
    ListOrders(session, "", place_.typed, kMost, response);
    for (const api::Order& order : response.orders()) Add(order.name(), order.connection_name());
  }

  const Place& place_;
  const GlobalFlags& flags_;
  std::ostringstream nowhere_;
  Io quiet_;
  std::vector<Candidate> found_;
};

// The flags that were typed before the cursor, so that the right server is asked.
GlobalFlags FlagsOf(const Place& place) {
  const auto value = [&place](const char* flag) {
    const auto found = place.globals.find(flag);
    return found == place.globals.end() ? std::string() : found->second;
  };
  GlobalFlags flags;
  flags.context = value("--context");
  flags.server = value("--server");
  flags.token_file = value("--token-file");
  flags.ca = value("--ca");
  flags.cert = value("--cert");
  flags.key = value("--key");
  flags.insecure = place.globals.contains("--insecure");
  return flags;
}

// "File with the token [...]" without what stands in brackets, on one line.
std::string Brief(const std::string& description) {
  return FitWidth(Printable(description.substr(0, description.find(" ["))), kDescriptionWidth);
}

}  // namespace

int Complete(const CLI::App& app, std::vector<std::string> words, Io& io) {
  if (words.empty()) words.emplace_back();
  const Place place = Locate(app, words);
  std::vector<Candidate> all = place.candidates;
  const GlobalFlags flags = FlagsOf(place);
  for (Candidate& candidate : Lookup(place, flags, io).Run()) all.push_back(std::move(candidate));
  for (const Candidate& candidate : all) {
    io.out << place.prefix << candidate.value << '\t' << Brief(candidate.description) << '\n';
  }
  if (place.source == Source::kFiles) io.out << ":files\n";
  return kDone;
}

void RegisterCompletion(Registry& registry) {
  auto shell = std::make_shared<std::string>();
  CLI::App& verb = registry.Verb(
      kClient, "completion",
      "Print a script that completes verbs, flags and names with the tab key",
      "pollerctl completion bash > ~/.local/share/bash-completion/completions/pollerctl\n"
      "pollerctl completion zsh > ~/.zfunc/_pollerctl      with ~/.zfunc in fpath, before "
      "compinit\n"
      "pollerctl completion fish > ~/.config/fish/completions/pollerctl.fish\n"
      "source <(pollerctl completion bash)                 only for this shell",
      [shell](Session& session) {
        const std::string_view script = CompletionScript(*shell);
        if (script.empty()) {
          return session.WrongUsage(
              fmt::format("\"{}\" is not bash, zsh or fish", Printable(*shell)));
        }
        session.io().out << script;
        return kDone;
      });
  verb.add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("bash|zsh|fish");
  registry.MarkOffline(verb);
}

}  // namespace poller::client
