// orders, order
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/arguments.h"
#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/delivery_view.h"
#include "client/commands/order_view.h"
#include "client/output/text.h"
#include "client/suggest.h"
#include "odoopoller/v1/order_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::OrderService;

struct ListOptions {
  std::string connection, prefix;
  std::int64_t count = 50;
};

int List(Session& session, const ListOptions& options) {
  api::ListOrdersResponse response;
  const grpc::Status status =
      ListOrders(session, options.connection, options.prefix, options.count, response);
  if (!status.ok()) return session.Fail(status);
  if (session.format() == Format::kJson) {
    session.PrintMessage(response);
  } else if (session.format() == Format::kJsonLines) {
    for (const api::Order& order : response.orders()) session.PrintMessage(order);
  } else if (response.orders().empty()) {
    session.Note("no orders are known");
    return kDone;
  } else {
    PrintOrders(session, response.orders(), false);
  }
  if (!response.next_page_token().empty())
    session.Note(fmt::format("there are more: -n shows more than {}", options.count));
  return kDone;
}

// ---------------------------------------------------------------- order

struct ShowOptions {
  std::string name, connection;
  std::int64_t id = 0;
};

// Names are compared by prefix on the server: so many with the same beginning are looked through.
constexpr std::int64_t kSearch = 1000;

// Names of orders that may have been meant by one that is unknown: those that begin alike.
std::string NearOrders(Session& session, const std::string& name) {
  constexpr std::size_t kSlip = 2;  // letters at the end that may be wrong
  constexpr std::int64_t kLook = 200;
  if (name.size() <= kSlip) return "";
  api::ListOrdersResponse found;
  ListOrders(session, "", name.substr(0, name.size() - kSlip), kLook, found);
  std::vector<std::string> names;
  for (const api::Order& order : found.orders()) names.push_back(Printable(order.name()));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string meant = DidYouMean(Nearest(name, names));
  return meant.empty() ? "" : "\n  " + meant;
}

// Finds the shop of the one order with that name. False: `code` is the exit code, and the reason
// was said.
bool FindConnection(Session& session, const std::string& name, api::ConnectionRef& ref, int& code) {
  api::ListOrdersResponse found;
  const grpc::Status status = ListOrders(session, "", name, kSearch, found);
  if (!status.ok()) {
    code = session.Fail(status);
    return false;
  }
  std::string shops;
  for (const api::Order& order : found.orders()) {
    if (order.name() != name || order.connection_id() == ref.id()) continue;
    shops += fmt::format("\n  pollerctl order {} -c {}    ({})", Printable(name),
                         order.connection_id(), Printable(order.connection_name()));
    if (ref.id() == 0) ref.set_id(order.connection_id());
  }
  if (ref.id() == 0) {
    session.Note(fmt::format(
        "pollerctl: no order \"{}\" is known\n  hint: pollerctl orders shows those that are; "
        "pollerctl send -c ID --order {} reads it from Odoo{}",
        Printable(name), Printable(name), NearOrders(session, name)));
    code = kNotFound;
    return false;
  }
  if (shops.find('\n', 1) != std::string::npos) {
    code = session.WrongUsage(
        fmt::format("several shops have an order \"{}\":{}", Printable(name), shops));
    return false;
  }
  return true;
}

void Print(Session& session, const api::GetOrderResponse& response) {
  const api::Order& order = response.order();
  std::ostream& out = session.io().out;
  Fields fields;
  fields.Add("Order", fmt::format("{} (Odoo id {})", order.name(), order.order_id()));
  fields.Add("Connection", fmt::format("{} ({})", order.connection_id(), order.connection_name()));
  fields.Add(
      "In Odoo",
      fmt::format("{}, changed {}",
                  order.condition() == api::ORDER_CONDITION_CANCELLED ? "cancelled" : "confirmed",
                  Ago(session, order.write_time())));
  Cell status = StatusCell(order.status());
  status.text = fmt::format("revision {} {}, {}", order.revision(), status.text,
                            Ago(session, order.update_time()));
  fields.Add("Newest", status);
  if (!order.last_error().empty()) fields.Add("Last error", Cell(order.last_error(), Colour::kBad));
  fields.Print(out, session.look());
  for (const api::OrderRevision& revision : response.revisions()) {
    const api::Delivery& delivery = revision.delivery();
    const std::string event =
        delivery.event_name().empty() ? "" : " " + Printable(delivery.event_name());
    out << fmt::format("\nRevision {}: {}{}, delivery {}, webhook-id {}\n", delivery.revision(),
                       StatusCell(delivery.status()).text, event, delivery.id(),
                       Printable(delivery.webhook_id()));
    if (!revision.attempts().empty()) PrintAttempts(session, revision.attempts());
  }
}

int Show(Session& session, const ShowOptions& options) {
  if (options.name.empty() == (options.id == 0))
    return session.WrongUsage("give the order's NAME, or --id N with -c ID");
  if (options.id != 0 && options.connection.empty())
    return session.WrongUsage("--id needs the shop: -c ID");
  api::GetOrderRequest request;
  int code = kDone;
  if (!options.connection.empty()) {
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  } else if (!FindConnection(session, options.name, *request.mutable_connection(), code)) {
    return code;
  }
  if (options.id != 0) {
    request.set_order_id(options.id);
  } else {
    request.set_name(options.name);
  }
  api::GetOrderResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::GetOrder, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    Print(session, response);
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

}  // namespace

void RegisterOrders(Registry& registry) {
  auto list = std::make_shared<ListOptions>();
  CLI::App& list_verb =
      registry.Verb(kOrders, "orders", "List orders with what became of them, last changed first",
                    "pollerctl orders -c shop1\npollerctl orders --prefix S000 -n 200",
                    [list](Session& session) { return List(session, *list); });
  list_verb.add_option("-c,--connection", list->connection, "Only this shop: number or exact name")
      ->type_name("ID");
  list_verb.add_option("--prefix", list->prefix, "Only names that begin so")->type_name("TEXT");
  list_verb.add_option("-n", list->count, "At most so many [50]")
      ->type_name("COUNT")
      ->check(Count());

  auto show = std::make_shared<ShowOptions>();
  CLI::App& show_verb = registry.Verb(
      kOrders, "order", "Show what became of an order: revisions and attempts",
      "pollerctl order S00042\npollerctl order S00042 -c shop1\npollerctl order --id 42 -c shop1",
      [show](Session& session) { return Show(session, *show); });
  show_verb.add_option("NAME", show->name, "The order's name, exactly");
  show_verb.add_option("-c,--connection", show->connection, "The shop: number or exact name")
      ->type_name("ID");
  show_verb.add_option("--id", show->id, "Odoo's id instead of the name")
      ->type_name("N")
      ->check(WholeNumber(1, "Odoo's id of an order, a whole number from 1"));
}

}  // namespace poller::client
