#include "core/storage/connection_store.h"

#include <limits>

namespace poller {

std::string ConnectionKey(ConnectionOrder order, const ConnectionWithState& row) {
  const auto micros = [](absl::Time time, std::int64_t never) {
    const bool known = time != absl::InfinitePast() && time != absl::InfiniteFuture();
    return std::to_string(known ? absl::ToUnixMicros(time) : never);
  };
  switch (order) {
    case ConnectionOrder::kId:
      return {};
    case ConnectionOrder::kName:
      return row.connection.settings.name;
    case ConnectionOrder::kOldestWaiting:
      return micros(row.state.oldest_waiting, std::numeric_limits<std::int64_t>::max());
    case ConnectionOrder::kLastPoll:
      return micros(row.state.last_poll.at, 0);
  }
  return {};
}

}  // namespace poller
