#include "client/commands/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <sstream>
#include <utility>

#include "client/commands/connection_view.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(1);
constexpr absl::Duration kShortest = absl::Seconds(10);  // less says nothing about a minute

constexpr std::size_t kAroundRows = 6;  // totals, trouble, the table's head, keys

struct SortWord {
  TopSort sort;
  std::string_view word;
};
constexpr std::array kSorts = {SortWord{TopSort::kNeed, "need"}, SortWord{TopSort::kName, "name"},
                               SortWord{TopSort::kWaiting, "waiting"},
                               SortWord{TopSort::kRate, "rate"},
                               SortWord{TopSort::kLastPoll, "last poll"}};

std::string AgoAt(const google::protobuf::Timestamp& time, absl::Time now) {
  return time.seconds() == 0 ? "-" : RelativeTime(ToTime(time), now);
}

absl::Time OldestWaiting(const api::Connection& connection) {
  const auto& state = connection.state();
  return state.waiting_count() > 0 && state.has_oldest_waiting_time()
             ? ToTime(state.oldest_waiting_time())
             : absl::InfiniteFuture();
}

bool Open(const api::BreakerStatus& breaker) { return breaker.state() >= api::BREAKER_STATE_OPEN; }

Cell BreakersCell(const api::ConnectionState& state) {
  std::string text;
  Colour colour = Colour::kWarn;
  const auto add = [&](const char* name, const api::BreakerStatus& breaker) {
    if (!Open(breaker)) return;
    text += fmt::format("{}{}{}", text.empty() ? "" : "+", name,
                        breaker.state() == api::BREAKER_STATE_HALF_OPEN ? "?" : "");
    if (breaker.state() == api::BREAKER_STATE_OPEN) colour = Colour::kBad;
  };
  add("odoo", state.odoo_breaker());
  add("receiver", state.receiver_breaker());
  return text.empty() ? Cell("closed", Colour::kDim) : Cell(text, colour);
}

std::string Rate(const std::optional<double>& rate) {
  if (!rate) return "-";
  return *rate > 0 && *rate < 10 ? fmt::format("{:.1f}", *rate) : fmt::format("{:.0f}", *rate);
}

std::vector<std::string> Totals(const TopHistory& history, const TopView& view, const Look& look) {
  const api::GetServerStatusResponse& status = history.newest().status;
  const auto when_any = [&look](std::int64_t count, std::string_view what, Colour colour) {
    return Paint(fmt::format("{} {}", count, what), count > 0 ? colour : Colour::kNone, look);
  };
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "pollerd {} at {}, up {}, {} events/s", Printable(status.version()), Printable(view.server),
      poller::FormatDuration(absl::Trunc(ToDuration(status.uptime()), absl::Seconds(1))),
      Rate(history.EventRate())));
  std::string counts = fmt::format("{} connections, {}, {}, {}", status.connection_count(),
                                   when_any(status.unhealthy_count(), "unhealthy", Colour::kBad),
                                   when_any(status.suspended_count(), "suspended", Colour::kBad),
                                   when_any(status.paused_count(), "paused", Colour::kWarn));
  if (status.held_count() > 0)
    counts += ", " + when_any(status.held_count(), "held", Colour::kWarn);
  lines.push_back(std::move(counts));
  std::string queue = fmt::format("{} waiting", status.waiting_count());
  if (status.waiting_count() > 0)
    queue += fmt::format(", the oldest since {}",
                         AgoAt(status.oldest_waiting_time(), history.newest().time));
  queue += ", " + when_any(status.dead_count(), "dead", Colour::kBad);
  if (status.has_disk_free_bytes()) {
    const std::string disk = fmt::format(
        "{:.1f} GiB of disk free{}", static_cast<double>(status.disk_free_bytes()) / (1 << 30),
        status.disk_low() ? ": nearly full, polling stands still" : "");
    queue += ", " + Paint(disk, status.disk_low() ? Colour::kBad : Colour::kNone, look);
  }
  lines.push_back(std::move(queue));
  return lines;
}

std::vector<const api::Connection*> Sorted(const TopHistory& history, const TopView& view) {
  std::vector<const api::Connection*> rows;
  for (const api::Connection& connection : history.newest().connections) {
    if (!view.unhealthy_only || Need(connection) > 0) rows.push_back(&connection);
  }
  const auto rate = [&history](const api::Connection& connection) {
    return history.OrderRate(connection.id()).value_or(0);
  };
  std::sort(rows.begin(), rows.end(), [&](const auto* a, const auto* b) {
    const auto last_poll = [](const api::Connection& c) {
      return ToTime(c.state().last_poll().start_time());
    };
    switch (view.sort) {
      case TopSort::kNeed:
        if (Need(*a) != Need(*b)) return Need(*a) > Need(*b);
        if (OldestWaiting(*a) != OldestWaiting(*b)) return OldestWaiting(*a) < OldestWaiting(*b);
        break;
      case TopSort::kWaiting:
        if (a->state().waiting_count() != b->state().waiting_count())
          return a->state().waiting_count() > b->state().waiting_count();
        break;
      case TopSort::kRate:
        if (rate(*a) != rate(*b)) return rate(*a) > rate(*b);
        break;
      case TopSort::kLastPoll:
        if (last_poll(*a) != last_poll(*b)) return last_poll(*a) < last_poll(*b);
        break;
      case TopSort::kName:
        break;
    }
    return std::make_pair(std::string_view(a->name()), a->id()) <
           std::make_pair(std::string_view(b->name()), b->id());
  });
  return rows;
}

std::vector<std::string> TableLines(const TopHistory& history,
                                    const std::vector<const api::Connection*>& rows,
                                    const Look& look) {
  Table table({{"NAME", false, true},
               {"STATE"},
               {"LAST POLL"},
               {"ORDERS/MIN", true},
               {"WAITING", true},
               {"OLDEST"},
               {"DEAD", true},
               {"BREAKERS"},
               {"LAST ERROR", false, true}});
  const absl::Time now = history.newest().time;
  for (const api::Connection* connection : rows) {
    const api::ConnectionState& state = connection->state();
    const absl::Time oldest = OldestWaiting(*connection);
    table.Add({connection->name(), HealthCell(*connection),
               AgoAt(state.last_poll().start_time(), now),
               Rate(history.OrderRate(connection->id())), std::to_string(state.waiting_count()),
               oldest == absl::InfiniteFuture() ? "-" : RelativeTime(oldest, now),
               Cell(std::to_string(state.dead_count()),
                    state.dead_count() > 0 ? Colour::kBad : Colour::kNone),
               BreakersCell(state), Problem(*connection)});
  }
  std::ostringstream text;
  table.Print(text, look);
  std::vector<std::string> lines;
  std::istringstream stream(text.str());
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

// The head of `table` and the rows of the window, with a line that says how many are not in it.
std::vector<std::string> Window(std::vector<std::string> table, const TopRows& rows,
                                const std::function<std::string(const std::string&)>& fit) {
  const auto row = [&table](std::size_t i) {
    return table.begin() + 1 + static_cast<std::ptrdiff_t>(i);
  };
  const std::size_t below = rows.all - rows.first - rows.shown;
  table.erase(row(rows.first + rows.shown), table.end());
  table.erase(row(0), row(rows.first));
  if (rows.first > 0) {
    table.push_back(fit(fmt::format("… {} above, {} below", rows.first, below)));
  } else if (below > 0) {
    table.push_back(fit(fmt::format("… {} more", below)));
  }
  return table;
}

std::string Keys(const TopView& view) {
  return fmt::format("q quit   s sort: {}   u {}   p {}   ↑↓ PgUp PgDn scroll", SortName(view.sort),
                     view.unhealthy_only ? "show all" : "unhealthy only",
                     view.paused ? "go on (frozen)" : "freeze");
}

}  // namespace

void TopHistory::Add(TopSample sample) {
  if (!newest_) since_ = sample.time;
  event_rate_.reset();
  const auto& log = sample.status.event_log();
  if (newest_ && newest_->status.event_log().log_id() == log.log_id()) {
    const double seconds = absl::ToDoubleSeconds(sample.time - newest_->time);
    const auto events =
        static_cast<double>(log.newest_sequence() - newest_->status.event_log().newest_sequence());
    if (seconds > 0 && events >= 0) event_rate_ = events / seconds;
  }
  std::map<std::int64_t, absl::Time> before;
  if (newest_) {
    for (const api::Connection& connection : newest_->connections)
      before[connection.id()] = ToTime(connection.state().last_poll().start_time());
  }
  std::map<std::int64_t, std::deque<Poll>> polls;
  for (const api::Connection& connection : sample.connections) {
    std::deque<Poll>& seen = polls[connection.id()] = std::move(polls_[connection.id()]);
    const api::LastPoll& poll = connection.state().last_poll();
    const auto known = before.find(connection.id());
    if (known != before.end() && ToTime(poll.start_time()) > known->second)
      seen.push_back({sample.time, poll.found()});
    while (!seen.empty() && seen.front().seen <= sample.time - kWindow) seen.pop_front();
  }
  polls_ = std::move(polls);  // those that were deleted are forgotten
  newest_ = std::move(sample);
}

std::optional<double> TopHistory::OrderRate(std::int64_t connection) const {
  if (!newest_) return std::nullopt;
  const absl::Duration watched = std::min(kWindow, newest_->time - since_);
  const auto seen = polls_.find(connection);
  if (watched < kShortest || seen == polls_.end()) return std::nullopt;
  std::int64_t found = 0;
  for (const Poll& poll : seen->second) found += poll.found;
  return static_cast<double>(found) / absl::ToDoubleMinutes(watched);
}

TopSort NextSort(TopSort sort) {
  for (std::size_t i = 0; i < kSorts.size(); ++i) {
    if (kSorts[i].sort == sort) return kSorts[(i + 1) % kSorts.size()].sort;
  }
  return TopSort::kNeed;
}

std::string_view SortName(TopSort sort) {
  for (const SortWord& known : kSorts) {
    if (known.sort == sort) return known.word;
  }
  return "";
}

int Need(const api::Connection& connection) {
  const api::ConnectionState& state = connection.state();
  switch (state.health()) {
    case api::CONNECTION_HEALTH_SUSPENDED:
      return 5;  // nothing moves until somebody acts
    case api::CONNECTION_HEALTH_CIRCUIT_OPEN:
    case api::CONNECTION_HEALTH_STANDS_STILL:
      return 4;
    case api::CONNECTION_HEALTH_HELD:
    case api::CONNECTION_HEALTH_DEGRADED:
      return 3;
    default:
      break;
  }
  if (state.dead_count() > 0 || state.has_receiver_gone_since()) return 2;
  return state.has_held_since() ? 1 : 0;
}

TopRows RowsIn(const TopHistory& history, const TopView& view, std::size_t height) {
  TopRows rows;
  for (const api::Connection& connection : history.newest().connections)
    rows.all += !view.unhealthy_only || Need(connection) > 0 ? 1 : 0;
  const std::size_t room = height > kAroundRows ? height - kAroundRows : 0;
  rows.shown = std::min(rows.all, room);
  // A line says how many are not shown.
  if (rows.shown < rows.all && rows.shown > 0) --rows.shown;
  rows.first = std::min(view.first, rows.all - rows.shown);
  return rows;
}

std::vector<std::string> TopLines(const TopHistory& history, const TopView& view, const Look& look,
                                  std::optional<std::size_t> height) {
  const auto fit = [&look](const std::string& text) {
    return look.width ? FitWidth(text, *look.width) : text;
  };
  std::vector<std::string> lines = Totals(history, view, look);
  const std::vector<std::string> plain = Totals(history, view, {});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // What must be cut has no colour: it could be cut in the middle of one.
    if (const std::string fitted = fit(plain[i]); fitted != plain[i]) lines[i] = fitted;
  }
  if (height) {
    lines.push_back(view.trouble.empty() ? ""
                                         : Paint(fit(Printable(view.trouble)), Colour::kBad, look));
  } else {
    lines.emplace_back();
  }
  const auto rows = Sorted(history, view);
  if (rows.empty()) {
    lines.push_back(fit(history.newest().connections.empty() ? "no connections yet: pollerctl add"
                                                             : "all connections are well"));
  } else {
    // All of them, also those that are not shown: the columns stay where they are.
    std::vector<std::string> table = TableLines(history, rows, look);
    if (height) table = Window(std::move(table), RowsIn(history, view, *height), fit);
    for (std::string& line : table) lines.push_back(std::move(line));
  }
  if (!height) return lines;
  lines.resize(std::max<std::size_t>(*height, 2) - 1);  // the last line has the keys
  lines.push_back(Paint(fit(Keys(view)), Colour::kDim, look));
  return lines;
}

}  // namespace poller::client
