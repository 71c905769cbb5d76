// What `pollerctl top` shows: rows from messages, and lines from rows. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "client/output/table.h"
#include "odoopoller/v1/admin_service.pb.h"
#include "odoopoller/v1/connection.pb.h"

namespace poller::client {

namespace api = ::odoopoller::v1;

// What the server said at one time.
struct TopSample {
  absl::Time time;  // of the server, so that ages and rates do not depend on our clock
  api::GetServerStatusResponse status;
  std::vector<api::Connection> connections;
};

// The newest sample, and what the ones before tell about rates.
class TopHistory {
 public:
  void Add(TopSample sample);

  bool empty() const { return !newest_; }
  const TopSample& newest() const { return *newest_; }
  // Events since the sample before, a second; unset: there is none, or the log is another.
  std::optional<double> EventRate() const { return event_rate_; }
  // Orders that polls found in the last minute, a minute; unset: watched for less than 10 s.
  std::optional<double> OrderRate(std::int64_t connection) const;

 private:
  struct Poll {
    absl::Time seen;
    std::int64_t found;
  };
  std::optional<TopSample> newest_;
  std::optional<double> event_rate_;
  absl::Time since_;
  std::map<std::int64_t, std::deque<Poll>> polls_;  // of the last minute
};

enum class TopSort { kNeed, kName, kWaiting, kRate, kLastPoll };
TopSort NextSort(TopSort sort);
std::string_view SortName(TopSort sort);

struct TopView {
  TopSort sort = TopSort::kNeed;
  bool unhealthy_only = false;
  bool paused = false;
  std::size_t first = 0;  // rows above the window
  std::string server;     // its address
  std::string trouble;    // why there is no newer sample; empty: there is
};

// Which rows a window of `height` lines has room for.
struct TopRows {
  std::size_t first = 0;  // of TopView, or the last that still fills the window
  std::size_t shown = 0;
  std::size_t all = 0;
};
TopRows RowsIn(const TopHistory& history, const TopView& view, std::size_t height);

// How much somebody is needed: 0 for a shop that is well, more for what should be seen first.
int Need(const api::Connection& connection);

// Totals, table and keys in at most `height` lines of `look.width`; unset height: all lines, without
// keys. The history is not empty.
std::vector<std::string> TopLines(const TopHistory& history, const TopView& view, const Look& look,
                                  std::optional<std::size_t> height);

}  // namespace poller::client
