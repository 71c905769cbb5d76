// send
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/arguments.h"
#include "client/commands/commands.h"
#include "client/commands/order_view.h"
#include "client/output/text.h"
#include "odoopoller/v1/order_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::OrderService;

constexpr absl::Duration kPatience = absl::Minutes(5);  // Odoo is read meanwhile
constexpr std::int64_t kOffered = 30;                   // orders to choose from

struct SendOptions {
  std::string connection;
  int last = 0;
  std::vector<std::string> names;
  std::vector<std::int64_t> ids;
  bool dry_run = false;
};

// A number from 1 to `most`.
std::optional<int> Number(std::string_view text, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most)
    return std::nullopt;
  return number;
}

// "1,3-5" as numbers from 1 to `most`; empty: not understood.
std::vector<int> ParseChoice(std::string text, int most) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  std::vector<int> chosen;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const std::size_t dash = part.find('-');
    const auto first = Number(part.substr(0, dash), most);
    const auto last = dash == std::string_view::npos ? first : Number(part.substr(dash + 1), most);
    if (!first || !last || *last < *first) return {};
    for (int i = *first; i <= *last; ++i) chosen.push_back(i);
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return chosen;
}

// Shows the newest orders and lets the person choose. Not kDone: the exit code, after saying why.
int Choose(Session& session, const std::string& connection, api::OrderSelection& selection,
           bool& nothing) {
  api::ListOrdersResponse known;
  const grpc::Status status = ListOrders(session, connection, "", kOffered, known);
  if (!status.ok()) return session.Fail(status);
  if (known.orders().empty()) {
    return session.WrongUsage(
        "no orders are known of this shop yet: use --last K or --order NAME to read them from "
        "Odoo");
  }
  PrintOrders(session, known.orders(), true);
  for (;;) {
    const auto answer =
        session.io().terminal.ReadLine("Send which? (for example 1,3-5; Enter: none) ");
    if (!answer || answer->empty()) {
      session.Note("nothing was sent");
      nothing = true;
      return kDone;
    }
    const std::vector<int> chosen = ParseChoice(*answer, known.orders_size());
    for (const int number : chosen) selection.add_ids(known.orders(number - 1).order_id());
    if (!chosen.empty()) return kDone;
    session.Note(
        fmt::format("  numbers from 1 to {}, with commas or as a range", known.orders_size()));
  }
}

std::string Names(const api::ResendOrdersResponse& response) {
  std::string names;
  for (const std::string& name : response.found())
    names += (names.empty() ? "" : ", ") + Printable(name);
  return names;
}

int Print(Session& session, const api::ResendOrdersResponse& response, bool dry_run) {
  const int code = response.missing().empty() ? kDone : kNotFound;
  if (!session.table()) {
    session.PrintMessage(response);
    return code;
  }
  std::ostream& out = session.io().out;
  const std::string names = Names(response);
  if (dry_run) {
    out << fmt::format("{} would be sent{}{}\n", Counted(response.found_size(), "order", "orders"),
                       names.empty() ? "" : ": ", names);
  } else {
    out << fmt::format("{} queued{}{}\n", Counted(response.found_size(), "order", "orders"),
                       names.empty() ? "" : ": ", names)
        << fmt::format("{} new or changed, {} once more as they were, {} dead\n",
                       response.recorded(), response.requeued(), response.dead());
  }
  out.flush();
  for (const std::string& missing : response.missing()) {
    session.Note(fmt::format("pollerctl: Odoo has no confirmed order {}", Printable(missing)));
  }
  return code;
}

// Before anything is done: which the newest are only Odoo knows, and Ctrl-C comes in time still.
int SayHowMany(Session& session, api::ResendOrdersRequest request) {
  request.set_validate_only(true);
  api::ResendOrdersResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::ResendOrders, request, response, kPatience);
  if (!status.ok()) return session.Fail(status);
  session.Note(fmt::format("sending {}{}{}", Counted(response.found_size(), "order", "orders"),
                           response.found().empty() ? "" : ": ", Names(response)));
  return kDone;
}

int Send(Session& session, const SendOptions& options) {
  const bool named = !options.names.empty() || !options.ids.empty();
  if (options.last != 0 && named) return session.WrongUsage("--last excludes --order and --id");
  api::ResendOrdersRequest request;
  *request.mutable_connection() = ParseConnectionRef(options.connection);
  request.set_validate_only(options.dry_run);
  if (options.last != 0) {
    request.set_last_n(options.last);
  } else if (named) {
    for (const std::string& name : options.names) request.mutable_orders()->add_names(name);
    for (const std::int64_t id : options.ids) request.mutable_orders()->add_ids(id);
  } else if (!session.io().terminal.CanAsk()) {
    return session.WrongUsage("say which orders: --last K or --order NAME");
  } else {
    bool nothing = false;
    const int code = Choose(session, options.connection, *request.mutable_orders(), nothing);
    if (code != kDone || nothing) return code;
  }
  if (options.last != 0 && !options.dry_run) {
    const int code = SayHowMany(session, request);
    if (code != kDone) return code;
  }
  api::ResendOrdersResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::ResendOrders, request, response, kPatience);
  if (!status.ok()) return session.Fail(status);
  return Print(session, response, options.dry_run);
}

}  // namespace

void RegisterSend(Registry& registry) {
  auto send = std::make_shared<SendOptions>();
  CLI::App& verb = registry.Verb(
      kOrders, "send", "Read orders from Odoo and send them, again if need be",
      "pollerctl send -c shop1 --last 5\npollerctl send -c shop1 --order S00042 --order S00043\n"
      "pollerctl send -c shop1              lists them and lets you choose",
      [send](Session& session) { return Send(session, *send); });
  verb.add_option("-c,--connection", send->connection, "The shop: number or exact name")
      ->type_name("ID")
      ->required();
  verb.add_option("--last", send->last, "The newest K confirmed orders in Odoo")
      ->type_name("K")
      ->check(WholeNumber(1, "", 1000));
  verb.add_option("--order", send->names, "This order, by its exact name; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  verb.add_option("--id", send->ids, "This order, by Odoo's id; repeatable")
      ->type_name("N")
      ->allow_extra_args(false)
      ->check(WholeNumber(1, "Odoo's id of an order, a whole number from 1"));
  verb.add_flag("--dry-run", send->dry_run, "Only say what would be sent");
}

}  // namespace poller::client
