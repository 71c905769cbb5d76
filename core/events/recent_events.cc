#include "core/events/recent_events.h"

#include <algorithm>
#include <utility>

namespace poller {

void RecentEvents::Append(std::vector<SyncEvent> events) {
  for (SyncEvent& event : events) {
    head_ = event.sequence;
    events_.push_back(std::make_shared<const SyncEvent>(std::move(event)));
  }
  while (events_.size() > capacity_) {
    base_ = events_.front()->sequence;
    events_.pop_front();
  }
}

std::optional<std::vector<RecentEvents::Event>> RecentEvents::After(EventSequence after,
                                                                    std::size_t limit) const {
  if (after < base_) return std::nullopt;
  const auto first = std::ranges::upper_bound(events_, after, {},
                                              [](const Event& event) { return event->sequence; });
  const auto count = std::min<std::size_t>(limit, static_cast<std::size_t>(events_.end() - first));
  return std::vector<Event>(first, first + static_cast<std::ptrdiff_t>(count));
}

}  // namespace poller
