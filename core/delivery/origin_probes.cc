#include "core/delivery/origin_probes.h"

namespace poller {

bool OriginProbes::TryAcquire(const std::string& origin, ConnectionId connection,
                              std::function<void()> freed) {
  absl::MutexLock lock(&mu_);
  const auto [probe, ours] = out_.try_emplace(origin);
  if (!ours) probe->second[connection] = std::move(freed);
  return ours;
}

void OriginProbes::Release(const std::string& origin) {
  Waiters waiters;
  {
    absl::MutexLock lock(&mu_);
    const auto probe = out_.find(origin);
    if (probe == out_.end()) return;
    waiters = std::move(probe->second);
    out_.erase(probe);
  }
  for (const auto& [connection, freed] : waiters) freed();
}

}  // namespace poller
