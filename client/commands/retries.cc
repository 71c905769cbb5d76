// retries, retry, discard
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client/arguments.h"
#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/delivery_view.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "client/watch_flag.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"
#include "odoopoller/v1/retry_queue_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::RetryQueueService;

struct ListOptions {
  std::string connection;
  bool dead = false;
  std::int64_t count = 100;
  std::int64_t delivery = 0;  // show this one
};

grpc::Status Get(Session& session, std::int64_t id, api::GetRetryResponse& response) {
  api::GetRetryRequest request;
  request.set_delivery_id(id);
  const auto stub = session.Stub<Service>();
  return session.Call(*stub, &Service::Stub::GetRetry, request, response);
}

int Show(Session& session, std::int64_t id) {
  api::GetRetryResponse response;
  if (const grpc::Status status = Get(session, id, response); !status.ok())
    return session.Fail(status);
  if (!session.table()) {
    session.PrintMessage(response);
    return kDone;
  }
  std::ostream& out = session.io().out;
  Fields fields;
  AddDelivery(session, response.delivery(), fields);
  fields.Print(out, session.look());
  if (!response.attempts().empty()) {
    out << '\n';
    PrintAttempts(session, response.attempts());
  }
  if (!response.payload().empty()) {
    out << fmt::format("\nBody, {} bytes{}:\n", response.payload_size(),
                       response.payload_truncated() ? ", cut" : "")
        << PrintableLines(response.payload()) << '\n';
  }
  if (!response.raw_record().empty())
    out << "\nRecord from Odoo:\n" << PrintableLines(response.raw_record()) << '\n';
  return kDone;
}

const char* EmptyQueue(bool dead) {
  return dead ? "nothing is dead" : "nothing waits to be tried again, and nothing is dead";
}

int List(Session& session, const ListOptions& options) {
  if (options.delivery != 0) return Show(session, options.delivery);
  api::ListRetriesRequest request;
  if (!options.connection.empty())
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  request.set_dead(options.dead);
  api::ListRetriesResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = ListUpTo(
      session, *stub, &Service::Stub::ListRetries, request, response, options.count,
      [](const api::ListRetriesResponse& all) -> std::int64_t { return all.deliveries_size(); });
  if (!status.ok()) return session.Fail(status);
  if (!session.table()) {
    PrintList(session, response, response.deliveries());
  } else if (response.deliveries().empty()) {
    session.Note(EmptyQueue(options.dead));
    return kDone;
  } else {
    PrintDeliveries(session, response.deliveries());
  }
  if (!response.next_page_token().empty())
    session.Note(fmt::format("there are more: -n shows more than {}", options.count));
  return kDone;
}

// ---------------------------------------------------------------- retry

struct RetryOptions {
  std::int64_t delivery = 0;
  bool no_wait = false;
  bool all = false;
  std::string connection;
  bool dead = false, dry_run = false, yes = false;
};

constexpr absl::Duration kLook = absl::Milliseconds(250);
constexpr absl::Duration kLongestAttempt = absl::Seconds(40);

// The outcome of the attempt is known: it was made, or there is nothing left to attempt.
bool Settled(const api::Delivery& now, int attempts_before) {
  return !now.in_flight() &&
         (now.status() != api::DELIVERY_STATUS_PENDING || now.attempt_count() > attempts_before);
}

int Retry(Session& session, const RetryOptions& options) {
  api::GetRetryResponse known;
  if (const grpc::Status status = Get(session, options.delivery, known); !status.ok())
    return session.Fail(status);
  const int attempts = known.delivery().attempt_count();
  api::RetryDeliveryRequest request;
  request.set_delivery_id(options.delivery);
  api::RetryDeliveryResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::RetryDelivery, request, response, absl::Minutes(2));
  if (!status.ok()) return session.Fail(status);
  for (absl::Duration waited;
       !options.no_wait && waited < kLongestAttempt && !Settled(response.delivery(), attempts);
       waited += kLook) {
    if (!session.io().interrupt.Wait(kLook) || !Get(session, options.delivery, known).ok()) break;
    *response.mutable_delivery() = known.delivery();
  }
  const api::Delivery& delivery = response.delivery();
  const bool settled = Settled(delivery, attempts);
  const bool failed = settled && (delivery.status() == api::DELIVERY_STATUS_PENDING ||
                                  delivery.status() == api::DELIVERY_STATUS_DEAD);
  if (!session.table()) {
    session.PrintMessage(response);
  } else if (!settled) {
    session.io().out << fmt::format(
        "{} is due now; pollerctl retries {} shows what becomes of it\n", Named(delivery),
        delivery.id());
  } else if (failed) {
    session.io().out << fmt::format("{} failed again: {}\n", Named(delivery),
                                    Printable(delivery.last_error()));
  } else {
    session.io().out << fmt::format("{} is {}\n", Named(delivery),
                                    StatusCell(delivery.status()).text);
  }
  if (failed) return kRefused;
  return settled || options.no_wait ? kDone : kUnfinished;
}

// ---------------------------------------------------------------- retry --all

std::string Deliveries(std::int64_t count) { return Counted(count, "delivery", "deliveries"); }

// How many deliveries wait now, and for what, as far as that can be told; else nothing.
std::string WaitingText(Session& session, const RetryOptions& options) {
  if (options.connection.empty()) {
    api::GetServerStatusResponse status;
    const auto stub = session.Stub<api::AdminService>();
    if (!session
             .Call(*stub, &api::AdminService::Stub::GetServerStatus, api::GetServerStatusRequest(),
                   status)
             .ok())
      return "";
    return fmt::format("{} wait now, of all shops", Deliveries(status.waiting_count()));
  }
  api::GetConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(options.connection);
  api::GetConnectionResponse response;
  const auto stub = session.Stub<api::ConnectionService>();
  if (!session.Call(*stub, &api::ConnectionService::Stub::GetConnection, request, response).ok())
    return "";
  const api::ConnectionState& state = response.connection().state();
  std::string text = fmt::format("{} of this shop wait now", Deliveries(state.waiting_count()));
  if (response.connection().paused_delivery()) {
    text += ": its delivery is paused";
  } else if (state.receiver_breaker().state() == api::BREAKER_STATE_OPEN) {
    text += fmt::format(": its receiver fails, the next probe is {}",
                        Ago(session, state.receiver_breaker().retry_time()));
  }
  return text;
}

void PrintRetried(Session& session, const RetryOptions& options,
                  const api::RetryDeliveriesResponse& all) {
  std::ostream& out = session.io().out;
  out << fmt::format("{} due now: sent as fast as breaker and receiver let them through\n",
                     Deliveries(all.retried_count()));
  if (all.skipped_count() > 0) {
    out << fmt::format(
        "{} left alone: in flight, replaced by a newer revision, or Odoo could not be read again\n",
        Deliveries(all.skipped_count()));
  }
  if (const std::string waiting = WaitingText(session, options); !waiting.empty())
    out << waiting << '\n';
  out.flush();
}

// Step after step until the queue is through.
grpc::Status RetrySteps(Session& session, api::RetryDeliveriesRequest request,
                        api::RetryDeliveriesResponse& all) {
  const auto stub = session.Stub<Service>();
  do {
    api::RetryDeliveriesResponse step;
    const grpc::Status status = session.Call(*stub, &Service::Stub::RetryDeliveries, request, step,
                                             absl::Minutes(5));  // Odoo may be read meanwhile
    if (!status.ok()) return status;
    all.set_retried_count(all.retried_count() + step.retried_count());
    all.set_skipped_count(all.skipped_count() + step.skipped_count());
    request.set_page_token(step.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

int RetryAll(Session& session, const RetryOptions& options) {
  if (!options.dry_run &&
      !CanBeAsked(session, options.yes, "--yes, or with --dry-run to see how many it means"))
    return kUsage;
  api::RetryDeliveriesRequest request;
  if (!options.connection.empty())
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  request.set_dead(options.dead);
  request.set_validate_only(true);
  api::RetryDeliveriesResponse counted;
  const auto stub = session.Stub<Service>();
  const grpc::Status known = session.Call(*stub, &Service::Stub::RetryDeliveries, request, counted);
  if (!known.ok()) return session.Fail(known);
  const std::string count = Deliveries(counted.matching_count());
  if (options.dry_run || counted.matching_count() == 0) {
    if (!session.table()) {
      session.PrintMessage(counted);
    } else if (counted.matching_count() == 0) {
      session.Note(EmptyQueue(options.dead));
    } else {
      session.io().out << count << " would be tried again\n";
    }
    return kDone;
  }
  int code = kDone;
  if (!Agreed(session, options.yes, fmt::format("Make {} due now?", count), code)) return code;
  request.set_validate_only(false);
  request.set_page_size(static_cast<std::int32_t>(kPage));
  api::RetryDeliveriesResponse all;
  const grpc::Status status = RetrySteps(session, request, all);
  if (session.table() && (status.ok() || all.retried_count() > 0)) {
    PrintRetried(session, options, all);
  } else if (status.ok()) {
    session.PrintMessage(all);
  }
  return status.ok() ? kDone : session.Fail(status);
}

int RetryOneOrAll(Session& session, const RetryOptions& options) {
  if (options.all && options.delivery != 0)
    return session.WrongUsage("--all excludes the number of a delivery");
  if (options.all) return RetryAll(session, options);
  if (options.delivery == 0)
    return session.WrongUsage("say which: the number of a delivery, or --all");
  if (!options.connection.empty() || options.dead || options.dry_run)
    return session.WrongUsage("-c, --dead and --dry-run belong to --all");
  return Retry(session, options);
}

// ---------------------------------------------------------------- discard

struct DiscardOptions {
  std::int64_t delivery = 0;
  std::string reason;
  bool yes = false;
};

int Discard(Session& session, const DiscardOptions& options) {
  api::GetRetryResponse known;
  if (const grpc::Status status = Get(session, options.delivery, known); !status.ok())
    return session.Fail(status);
  int code = kDone;
  const std::string question =
      fmt::format("Discard {} of {}? It will not be delivered.", Named(known.delivery()),
                  Printable(known.delivery().connection_name()));
  if (!Agreed(session, options.yes, question, code)) return code;
  api::DiscardDeliveryRequest request;
  request.set_delivery_id(options.delivery);
  request.set_reason(options.reason);
  api::DiscardDeliveryResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::DiscardDelivery, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    session.io().out << fmt::format("{} is discarded\n", Named(response.delivery()));
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

CLI::Validator DeliveryNumber() {
  return WholeNumber(1, "the number of a delivery, as pollerctl retries lists them");
}

}  // namespace

void RegisterRetries(Registry& registry) {
  auto list = std::make_shared<ListOptions>();
  CLI::App& list_verb =
      registry.Verb(kOrders, "retries", "List what did not arrive: to be tried again, or dead",
                    "pollerctl retries\npollerctl retries -c shop1 --dead\n"
                    "pollerctl retries 17     one of them, with attempts and body",
                    [list](Session& session) { return List(session, *list); });
  list_verb.add_option("N", list->delivery, "Show this delivery")->check(DeliveryNumber());
  list_verb.add_option("-c,--connection", list->connection, "Only this shop: number or exact name")
      ->type_name("ID");
  list_verb.add_flag("--dead", list->dead, "Only dead letters");
  list_verb.add_option("-n", list->count, "At most so many [100]")
      ->type_name("COUNT")
      ->check(Count());
  AddWatch(registry, list_verb);

  auto retry = std::make_shared<RetryOptions>();
  CLI::App& retry_verb = registry.Verb(
      kOrders, "retry", "Try a delivery again now, past breaker and waiting time; or all of them",
      "pollerctl retry 17\npollerctl retry --all -c shop1 --dry-run     how many it means\n"
      "pollerctl retry --all --dead",
      [retry](Session& session) { return RetryOneOrAll(session, *retry); });
  retry_verb.add_option("N", retry->delivery, "The delivery: see pollerctl retries")
      ->check(DeliveryNumber());
  retry_verb.add_flag("--no-wait", retry->no_wait, "Do not wait for the outcome");
  retry_verb.add_flag("--all", retry->all,
                      "All of the retry queue, as fast as the breakers let them through");
  retry_verb.add_option("-c,--connection", retry->connection, "With --all: only this shop's")
      ->type_name("ID");
  retry_verb.add_flag("--dead", retry->dead, "With --all: only dead letters");
  retry_verb.add_flag("--dry-run", retry->dry_run, "With --all: only say how many");
  retry_verb.add_flag("-y,--yes", retry->yes, "With --all: do not ask");

  auto discard = std::make_shared<DiscardOptions>();
  CLI::App& discard_verb =
      registry.Verb(kOrders, "discard", "Give a delivery up for good",
                    "pollerctl discard 17 --reason \"entered by hand\"",
                    [discard](Session& session) { return Discard(session, *discard); });
  discard_verb.add_option("N", discard->delivery, "The delivery: see pollerctl retries")
      ->required()
      ->check(DeliveryNumber());
  discard_verb.add_option("--reason", discard->reason, "Why, for the log")->type_name("TEXT");
  discard_verb.add_flag("-y,--yes", discard->yes, "Do not ask");
}

}  // namespace poller::client
