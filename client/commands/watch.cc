// events, logs
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/arguments.h"
#include "client/commands/commands.h"
#include "client/commands/event_text.h"
#include "client/convert.h"
#include "client/follow.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::SyncLogService;

std::string ClockTime(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(time), absl::LocalTimeZone());
}

// A column of a line that is printed alone, so that nothing is known about the lines to come.
std::string Padded(const std::string& text, std::size_t width) {
  const std::string fitted = FitWidth(Printable(text), width);
  return fitted + std::string(width - DisplayWidth(fitted), ' ');
}

void PrintLine(Session& session, const std::string& text, Colour colour) {
  const Look look = session.look();
  session.io().out << Paint(look.width ? FitWidth(text, *look.width) : text, colour, look)
                   << std::endl;
}

// ---------------------------------------------------------------- events

struct EventOptions {
  std::string connection;
  std::optional<std::int64_t> after;
  std::vector<std::string> types;
  bool payload = false;
};

constexpr std::size_t kSequenceColumn = 8, kNameColumn = 16, kTypeColumn = 21;

void PrintEvent(Session& session, const api::SyncEvent& event) {
  if (!session.table()) {
    // A stream has no end at which one document could be closed: json is one message a line, too.
    session.PrintMessage(event);
    return;
  }
  PrintLine(
      session,
      fmt::format("{}  {}  {}  {}  {}", Padded(std::to_string(event.sequence()), kSequenceColumn),
                  ClockTime(event.time()), Padded(event.connection_name(), kNameColumn),
                  Padded(EventName(event.type()), kTypeColumn),
                  Printable(DescribeEvent(event, session.now()))),
      EventColour(event.type()));
  const api::DeliveryOutcome& outcome = event.delivery_outcome();
  if (!outcome.payload().empty()) {
    session.io().out << "    " << PrintableLines(outcome.payload())
                     << (outcome.payload_truncated() ? " (cut)" : "") << std::endl;
  }
}

int Events(Session& session, const EventOptions& options) {
  if (session.timeout().has_value())
    return session.WrongUsage("--timeout: events go on until Ctrl-C; timeout(1) ends them earlier");
  api::StreamSyncEventsRequest request;
  if (!options.connection.empty())
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  for (const std::string& name : options.types) {
    const std::vector<api::EventType> types = EventTypes(name);
    if (types.empty()) {
      return session.WrongUsage(fmt::format("--type: there is no type \"{}\". There are: {}",
                                            Printable(name), AllEventNames()));
    }
    for (const api::EventType type : types) request.add_types(type);
  }
  request.set_include_payload(options.payload);
  Place place;
  place.sequence = options.after;
  FollowCallbacks callbacks;
  callbacks.event = [&session](const api::SyncEvent& event) { PrintEvent(session, event); };
  const int code = Follow(session, std::move(request), callbacks, place);
  if (code == kDone && place.sequence) {
    session.Note(fmt::format("\npollerctl: to go on from here, add: --after {}", *place.sequence));
  }
  return code;
}

// ---------------------------------------------------------------- logs

struct LogOptions {
  std::string connection;
  std::int64_t count = 20;
  bool follow = false;
};

std::string KindName(api::SyncKind kind) {
  switch (kind) {
    case api::SYNC_KIND_POLL:
      return "poll";
    case api::SYNC_KIND_START:
      return "start";
    case api::SYNC_KIND_LINES:
      return "lines";
    case api::SYNC_KIND_RESEND:
      return "send";
    case api::SYNC_KIND_SWEEP:
      return "sweep";
    case api::SYNC_KIND_BACKFILL:
      return "backfill";
    case api::SYNC_KIND_RECONCILE:
      return "reconcile";
    default:
      return "other";
  }
}

void PrintLog(Session& session, const api::SyncLog& log) {
  if (!session.table()) return session.PrintMessage(log);
  const api::SyncCounts& counts = log.counts();
  std::string text =
      fmt::format("{} new or changed, {} unchanged", counts.recorded(), counts.unchanged());
  if (counts.dead() > 0) text += fmt::format(", {} dead", counts.dead());
  text += fmt::format(", in {}", ShortDuration(ToDuration(log.duration())));
  if (!log.error().empty()) text = fmt::format("failed: {} ({})", log.error(), text);
  PrintLine(session,
            fmt::format("{}  {}  {}  {}", ClockTime(log.start_time()),
                        Padded(log.connection_name(), kNameColumn), Padded(KindName(log.kind()), 9),
                        Printable(text)),
            !log.error().empty() ? Colour::kBad
            : counts.dead() > 0  ? Colour::kWarn
                                 : Colour::kNone);
}

class LogReader {
 public:
  LogReader(Session& session, const LogOptions& options) : session_(session), options_(options) {}

  // The newest `count`, as the server gives them: newest first.
  grpc::Status Newest(std::int64_t count, api::ListSyncLogsResponse& all) {
    api::ListSyncLogsRequest request;
    if (!options_.connection.empty())
      *request.mutable_connection() = ParseConnectionRef(options_.connection);
    const auto stub = session_.Stub<Service>();
    return ListUpTo(session_, *stub, &Service::Stub::ListSyncLogs, request, all, count,
                    [](const api::ListSyncLogsResponse& logs) -> std::int64_t {
                      return logs.sync_logs_size();
                    });
  }

  // Oldest first, those alone that were not printed before.
  void Print(const api::ListSyncLogsResponse& logs) {
    for (int i = logs.sync_logs_size() - 1; i >= 0; --i) {
      if (logs.sync_logs(i).id() <= last_) continue;
      PrintLog(session_, logs.sync_logs(i));
      last_ = logs.sync_logs(i).id();
    }
  }

  // What came since the last look. A failure is nothing: the next look finds it.
  void PrintNew() {
    for (std::int64_t count = kFirstLook; count <= kMostMissed; count *= 4) {
      api::ListSyncLogsResponse logs;
      if (!Newest(count, logs).ok()) return;
      const int size = logs.sync_logs_size();
      // Further back only if all that we see is new: then there may be more.
      if (size == 0 || size < count || logs.sync_logs(size - 1).id() <= last_ ||
          count * 4 > kMostMissed)
        return Print(logs);
    }
  }

 private:
  static constexpr std::int64_t kFirstLook = 20;
  static constexpr std::int64_t kMostMissed = 20 * 4 * 4 * 4 * 4;
  Session& session_;
  const LogOptions& options_;
  std::int64_t last_ = 0;
};

int FollowLogs(Session& session, const LogOptions& options, LogReader& reader) {
  api::StreamSyncEventsRequest request;
  if (!options.connection.empty())
    *request.mutable_connection() = ParseConnectionRef(options.connection);
  // Events tell when to look; the heartbeat looks after what has none.
  for (const api::EventType type :
       {api::EVENT_TYPE_ORDER_FOUND, api::EVENT_TYPE_LATE_FIND, api::EVENT_TYPE_POLL_FAILED,
        api::EVENT_TYPE_POLL_RECOVERED, api::EVENT_TYPE_DELIVERY_DEAD,
        api::EVENT_TYPE_DELIVERY_REQUEUED}) {
    request.add_types(type);
  }
  FollowCallbacks callbacks;
  callbacks.event = [](const api::SyncEvent&) {};
  callbacks.idle = [&reader] { reader.PrintNew(); };
  Place place;
  return Follow(session, std::move(request), callbacks, place);
}

int Logs(Session& session, const LogOptions& options) {
  LogReader reader(session, options);
  api::ListSyncLogsResponse logs;
  // At least one, also for -n 0: where new ones begin.
  const grpc::Status status = reader.Newest(std::max<std::int64_t>(options.count, 1), logs);
  if (!status.ok()) return session.Fail(status);
  if (options.count == 0) logs.clear_sync_logs();
  if (session.format() == Format::kJson && !options.follow) {
    session.PrintMessage(logs);
    return kDone;
  }
  reader.Print(logs);
  if (options.follow) return FollowLogs(session, options, reader);
  if (session.table() && logs.sync_logs().empty())
    session.Note("no pass has found anything or failed yet");
  return kDone;
}

}  // namespace

void RegisterWatch(Registry& registry) {
  auto events = std::make_shared<EventOptions>();
  CLI::App& events_verb =
      registry.Verb(kOrders, "events", "Follow everything that happens, live; Ctrl-C ends it",
                    "pollerctl events\npollerctl events -c shop1 --type delivery --type circuit\n"
                    "pollerctl events --after 0 -o jsonl     all that is kept, and then live",
                    [events](Session& session) { return Events(session, *events); });
  events_verb
      .add_option("-c,--connection", events->connection, "Only this shop: number or exact name")
      ->type_name("ID");
  events_verb
      .add_option("--after", events->after,
                  "Begin after this event; 0: from the oldest that is kept [from now on]")
      ->type_name("SEQUENCE")
      ->check(WholeNumber(0));
  events_verb
      .add_option("--type", events->types,
                  "Only this type, such as delivery-failed, or all that begin so, such as "
                  "delivery; repeatable")
      ->type_name("TYPE")
      ->allow_extra_args(false);
  events_verb.add_flag("--payload", events->payload, "Show the bodies that are sent");

  auto logs = std::make_shared<LogOptions>();
  CLI::App& logs_verb =
      registry.Verb(kOrders, "logs", "Show the polls that found something or failed",
                    "pollerctl logs\npollerctl logs -c shop1 -n 100\npollerctl logs -f",
                    [logs](Session& session) { return Logs(session, *logs); });
  logs_verb.add_option("-c,--connection", logs->connection, "Only this shop: number or exact name")
      ->type_name("ID");
  logs_verb.add_option("-n", logs->count, "How many [20]")
      ->type_name("COUNT")
      ->check(WholeNumber(0));
  logs_verb.add_flag("-f,--follow", logs->follow, "Go on with what comes; Ctrl-C ends it");
}

}  // namespace poller::client
