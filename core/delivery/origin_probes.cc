#include "core/delivery/origin_probes.h"

#include <utility>

namespace poller {

bool OriginProbes::TryAcquire(const std::string& origin, ConnectionId connection,
                              std::function<void()> turn) {
  absl::MutexLock lock(&mu_);
  const auto [found, free] = origins_.try_emplace(origin);
  Origin& probe = found->second;
  if (free) probe.holder = connection;
  if (probe.holder == connection && !probe.out) {
    probe.out = true;
    return true;
  }
  const auto [place, comes] = probe.places.try_emplace(connection, probe.next_place);
  if (comes) ++probe.next_place;
  probe.queue.insert_or_assign(place->second, Waiter{connection, std::move(turn)});
  return false;
}

void OriginProbes::Release(const std::string& origin, ConnectionId connection) {
  std::function<void()> next;
  {
    absl::MutexLock lock(&mu_);
    const auto found = origins_.find(origin);
    if (found == origins_.end()) return;
    if (found->second.holder != connection || !found->second.out) return;
    next = PassOn(found);
  }
  if (next) next();
}

void OriginProbes::Leave(const std::string& origin, ConnectionId connection) {
  std::function<void()> next;
  {
    absl::MutexLock lock(&mu_);
    const auto found = origins_.find(origin);
    if (found == origins_.end()) return;
    Origin& probe = found->second;
    if (const auto place = probe.places.find(connection); place != probe.places.end()) {
      probe.queue.erase(place->second);
      probe.places.erase(place);
    }
    if (probe.holder == connection && !probe.out) next = PassOn(found);
  }
  if (next) next();
}

std::function<void()> OriginProbes::PassOn(Origins::iterator found) {
  Origin& probe = found->second;
  if (probe.queue.empty()) {
    origins_.erase(found);
    return nullptr;
  }
  Waiter first = std::move(probe.queue.begin()->second);
  probe.queue.erase(probe.queue.begin());
  probe.places.erase(first.connection);
  probe.holder = first.connection;
  probe.out = false;
  return std::move(first.turn);
}

}  // namespace poller
