// The newest events in memory, shared by all readers that are up to date.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/model/event.h"

namespace poller {

// Not synchronised.
class RecentEvents {
 public:
  using Event = std::shared_ptr<const SyncEvent>;

  // Knows nothing up to and including `head`.
  RecentEvents(EventSequence head, std::size_t capacity)
      : capacity_(capacity), base_(head), head_(head) {}

  // Appends what follows the head, rising; the oldest make room.
  void Append(std::vector<SyncEvent> events);
  // The events behind `after`, at most `limit`; nothing if some of them are not here any more.
  std::optional<std::vector<Event>> After(EventSequence after, std::size_t limit) const;
  EventSequence head() const { return head_; }

 private:
  const std::size_t capacity_;
  EventSequence base_;  // everything behind it, up to head_, is here
  EventSequence head_;
  std::deque<Event> events_;
};

}  // namespace poller
