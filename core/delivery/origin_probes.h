// One half-open probe at a time to each receiver, however many connections deliver to it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "core/model/ids.h"

namespace poller {

// Thread-safe.
class OriginProbes {
 public:
  // True: the probe to `origin` (Url::Origin) is ours until Release. False: another has it, and
  // `freed` is called, on any thread, when it ends; a later call of the same connection replaces
  // it.
  bool TryAcquire(const std::string& origin, ConnectionId connection, std::function<void()> freed);
  void Release(const std::string& origin);

 private:
  using Waiters = std::map<ConnectionId, std::function<void()>>;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, Waiters> out_ ABSL_GUARDED_BY(mu_);  // only origins with a probe
};

}  // namespace poller
