// add, list, show, edit, delete
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/connection_form.h"
#include "client/commands/connection_view.h"
#include "client/commands/test_report.h"
#include "client/errors.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "client/request_id.h"
#include "client/watch_flag.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::ConnectionService;

// Asks again for what the server refused. False: nothing can be asked, or the input ended.
bool AskAgain(Session& session, const grpc::Status& status, api::Connection& connection,
              bool editing) {
  const std::vector<Question> again = Refused(status);
  if (again.empty()) return false;
  session.Fail(status);
  for (const Question& question : again) {
    if (!Ask(session, question, connection, editing)) return false;
  }
  return true;
}

// ---------------------------------------------------------------- add

struct AddOptions {
  ConnectionFlags flags;
  bool disabled = false;
};

// Completes `connection` by questions; without a person says which flags are missing. `asked` tells
// whether somebody was.
int AskForMissing(Session& session, api::Connection& connection, bool& asked) {
  std::vector<Question> missing;
  for (const Question& question : Questions()) {
    // The server may have a default for the address of the webhook.
    const bool optional = question.field == "webhook.url" && !session.io().terminal.CanAsk();
    if (question.required && !optional && GetField(connection, question.field).empty())
      missing.push_back(question);
  }
  if (missing.empty()) return kDone;
  if (!session.io().terminal.CanAsk()) {
    for (const Question& question : missing) {
      session.WrongUsage(
          fmt::format("{} is missing ({})", SettingFlag(question.field), question.label));
    }
    return kUsage;
  }
  // Before a person answers ten questions: is there a server, and may we?
  api::ListConnectionsRequest probe;
  probe.set_page_size(1);
  api::ListConnectionsResponse ignored;
  const auto stub = session.Stub<Service>();
  const grpc::Status reached = session.Call(*stub, &Service::Stub::ListConnections, probe, ignored);
  if (!reached.ok()) return session.Fail(reached);
  asked = true;
  for (const Question& question : Questions()) {
    if (!GetField(connection, question.field).empty() &&
        question.field != "webhook.legacy_secret_header")
      continue;
    Question relaxed = question;
    if (question.field == "webhook.url") relaxed.required = false;
    if (question.field == "webhook.legacy_secret_header" &&
        connection.webhook().legacy_secret_header())
      continue;
    if (!Ask(session, relaxed, connection, false)) return kUsage;
  }
  return kDone;
}

int Add(Session& session, const AddOptions& options) {
  api::CreateConnectionRequest request;
  api::Connection& connection = *request.mutable_connection();
  if (!options.flags.Apply(session, connection)) return kUsage;
  bool asked = false;
  if (const int code = AskForMissing(session, connection, asked); code != kDone) return code;
  connection.set_paused_polling(options.disabled);
  connection.set_paused_delivery(options.disabled);
  const auto stub = session.Stub<Service>();
  api::CreateConnectionResponse response;
  for (;;) {
    const grpc::Status status =
        session.Call(*stub, &Service::Stub::CreateConnection, request, response);
    if (status.ok()) break;
    if (!asked || !AskAgain(session, status, connection, false)) return session.Fail(status);
  }
  const api::Connection& created = response.connection();
  if (!session.table()) {
    session.PrintMessage(response);
    return kDone;
  }
  session.io().out << fmt::format("{} was added\n", Named(created)) << std::flush;
  if (asked && Confirm(session, "Test it now?", true))
    RunTest(session, std::to_string(created.id()));
  return kDone;
}

// ---------------------------------------------------------------- list, show

struct ListOptions {
  bool unhealthy = false;
  std::string sort = "id";
};

const std::map<std::string, api::ConnectionOrder>& Orders() {
  static const auto& orders = *new std::map<std::string, api::ConnectionOrder>{
      {"id", api::CONNECTION_ORDER_ID},
      {"name", api::CONNECTION_ORDER_NAME},
      {"waiting", api::CONNECTION_ORDER_OLDEST_WAITING},
      {"poll", api::CONNECTION_ORDER_LAST_POLL}};
  return orders;
}

int List(Session& session, const ListOptions& options) {
  api::ListConnectionsRequest request;
  request.set_unhealthy(options.unhealthy);
  const auto order = Orders().find(options.sort);
  if (order == Orders().end()) {
    return session.WrongUsage(
        fmt::format("--sort: \"{}\" is none of id, name, waiting, poll", Printable(options.sort)));
  }
  request.set_order(order->second);
  api::ListConnectionsResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      ListUpTo(session, *stub, &Service::Stub::ListConnections, request, response, kNoLimit,
               [](const api::ListConnectionsResponse& all) -> std::int64_t {
                 return all.connections_size();
               });
  if (!status.ok()) return session.Fail(status);
  if (!session.table()) {
    PrintList(session, response, response.connections());
  } else if (response.connections().empty()) {
    session.Note(options.unhealthy ? "all connections are well"
                                   : "no connections yet: pollerctl add");
  } else {
    PrintConnections(session, response.connections());
  }
  return kDone;
}

grpc::Status Get(Session& session, const std::string& id, api::GetConnectionResponse& response) {
  api::GetConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(id);
  const auto stub = session.Stub<Service>();
  return session.Call(*stub, &Service::Stub::GetConnection, request, response);
}

int Show(Session& session, const std::string& id) {
  api::GetConnectionResponse response;
  if (const grpc::Status status = Get(session, id, response); !status.ok())
    return session.Fail(status);
  if (session.table()) {
    PrintConnection(session, response.connection());
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

// ---------------------------------------------------------------- edit

struct EditOptions {
  std::string id;
  ConnectionFlags flags;
  bool same_odoo = false;
};

// Asks for everything, with the present values. False: the input ended.
bool AskForChanges(Session& session, api::UpdateConnectionRequest& request) {
  api::Connection& connection = *request.mutable_connection();
  session.Note(fmt::format("{}: Enter keeps what stands in brackets", Named(connection)));
  for (Question question : Questions()) {
    const std::string before = GetField(connection, question.field);
    if (!Ask(session, question, connection, true)) return false;
    if (GetField(connection, question.field) != before)
      request.mutable_update_mask()->add_paths(std::string(question.field));
  }
  return true;
}

void AddToMask(api::UpdateConnectionRequest& request, std::string_view path) {
  for (const std::string& known : request.update_mask().paths()) {
    if (known == path) return;
  }
  request.mutable_update_mask()->add_paths(std::string(path));
}

int Edit(Session& session, const EditOptions& options) {
  const bool ask = options.flags.empty();
  if (ask && !session.io().terminal.CanAsk()) {
    return session.WrongUsage(
        "say what to change, for example --interval 30s: pollerctl edit --help lists the flags");
  }
  api::GetConnectionResponse present;
  if (const grpc::Status status = Get(session, options.id, present); !status.ok())
    return session.Fail(status);
  api::UpdateConnectionRequest request;
  *request.mutable_connection() = present.connection();
  request.set_same_odoo(options.same_odoo);
  if (ask) {
    if (!AskForChanges(session, request)) return kUsage;
    if (request.update_mask().paths().empty()) {
      session.Note("nothing was changed");
      return kDone;
    }
  } else {
    if (!options.flags.Apply(session, *request.mutable_connection())) return kUsage;
    for (const std::string& field : options.flags.Fields()) AddToMask(request, field);
  }
  const auto stub = session.Stub<Service>();
  api::UpdateConnectionResponse response;
  for (;;) {
    const grpc::Status status =
        session.Call(*stub, &Service::Stub::UpdateConnection, request, response);
    if (status.ok()) break;
    if (!ask || !AskAgain(session, status, *request.mutable_connection(), true))
      return session.Fail(status);
    for (const Question& question : Refused(status)) AddToMask(request, question.field);
  }
  if (session.table()) {
    session.io().out << fmt::format("{} was changed\n", Named(response.connection()));
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

// ---------------------------------------------------------------- delete

int Delete(Session& session, const std::string& id, bool yes, bool force) {
  api::GetConnectionResponse present;
  if (const grpc::Status status = Get(session, id, present); !status.ok())
    return session.Fail(status);
  const api::Connection& connection = present.connection();
  const std::int64_t undelivered =
      connection.state().waiting_count() + connection.state().dead_count();
  int code = kDone;
  const std::string question = undelivered > 0 ? fmt::format("Delete {} and {} undelivered orders?",
                                                             Named(connection), undelivered)
                                               : fmt::format("Delete {}?", Named(connection));
  if (!Agreed(session, yes, question, code)) return code;
  api::DeleteConnectionRequest request;
  request.mutable_connection()->set_id(connection.id());
  request.set_force(force);
  api::DeleteConnectionResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::DeleteConnection, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    session.io().out << fmt::format("{} was deleted\n", Named(connection));
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

constexpr const char* kAddExamples =
    "pollerctl add                     asks for everything\n"
    "pollerctl add --name shop1 --url https://shop1.odoo.com --database shop1 --username "
    "bot@shop1.example \\\n"
    "    --api-key-file key.txt --webhook-url https://api.example/odoo --webhook-secret-file "
    "secret.txt\n"
    "printf '%s\\n%s\\n' \"$KEY\" \"$SECRET\" | pollerctl add --api-key-file - "
    "--webhook-secret-file - ...";

}  // namespace

void RegisterConnections(Registry& registry) {
  auto add = std::make_shared<AddOptions>();
  CLI::App& add_verb =
      registry.Verb(kShops, "add", "Add a shop; asks for what is missing", kAddExamples,
                    [add](Session& session) { return Add(session, *add); });
  add->flags.AddTo(add_verb, ConnectionFlags::For::kAdd);
  add_verb.add_flag("--disabled", add->disabled, "Create it paused: pollerctl resume starts it");

  auto list = std::make_shared<ListOptions>();
  CLI::App& list_verb =
      registry.Verb(kShops, "list", "List the shops and how they are",
                    "pollerctl list\npollerctl list --unhealthy --watch\n"
                    "pollerctl list --sort waiting            what waits longest first\n"
                    "pollerctl list -o jsonl | jq -r .name",
                    [list](Session& session) { return List(session, *list); });
  list_verb.add_flag("--unhealthy", list->unhealthy, "Only those that need somebody");
  list_verb
      .add_option(
          "--sort", list->sort,
          "By number, by name, whose oldest delivery waits longest, or whose poll is longest "
          "ago [id]")
      ->type_name("id|name|waiting|poll");
  AddWatch(registry, list_verb);

  auto shown = std::make_shared<std::string>();
  registry
      .Verb(kShops, "show", "Show one shop: settings and state",
            "pollerctl show shop1\npollerctl show 3 -o json",
            [shown](Session& session) { return Show(session, *shown); })
      .add_option("ID", *shown, "Number or exact name")
      ->required();

  auto edit = std::make_shared<EditOptions>();
  CLI::App& edit_verb =
      registry.Verb(kShops, "edit", "Change settings; without flags asks, with the present values",
                    "pollerctl edit shop1\npollerctl edit shop1 --interval 30s\n"
                    "pollerctl edit shop1 --api-key-file new-key.txt",
                    [edit](Session& session) { return Edit(session, *edit); });
  edit_verb.add_option("ID", edit->id, "Number or exact name")->required();
  edit->flags.AddTo(edit_verb, ConnectionFlags::For::kEdit);
  edit_verb.add_flag(
      "--same-odoo", edit->same_odoo,
      "The new --url or --database is the same Odoo, moved or renamed: do not start anew");

  struct DeleteOptions {
    std::string id;
    bool yes = false, force = false;
  };
  auto remove = std::make_shared<DeleteOptions>();
  CLI::App& delete_verb = registry.Verb(
      kShops, "delete", "Delete a shop with all that is known about it",
      "pollerctl delete shop1\npollerctl delete shop1 --yes --force", [remove](Session& session) {
        return Delete(session, remove->id, remove->yes, remove->force);
      });
  delete_verb.add_option("ID", remove->id, "Number or exact name")->required();
  delete_verb.add_flag("-y,--yes", remove->yes, "Do not ask");
  delete_verb.add_flag("--force", remove->force,
                       "Also when orders are not delivered: they never will be");
}

}  // namespace poller::client
