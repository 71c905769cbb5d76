// One half-open probe at a time to each receiver, however many connections deliver to it.
//
// Those that wait for it stand in a queue. When a probe ends, however it ended, the turn is kept
// for the first of them: nobody can come between, and only that one is woken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "core/model/ids.h"

namespace poller {

// Thread-safe. Origins are those of Url::Origin. No callback runs under a lock.
class OriginProbes {
 public:
  // True: the probe to `origin` is ours until Release. False: another has it, and `connection`
  // stands in the queue; `turn` is called once, on any thread, when its turn has come: call this
  // again, or Leave. Asking again keeps the place.
  bool TryAcquire(const std::string& origin, ConnectionId connection, std::function<void()> turn);
  // The probe that TryAcquire gave to `connection` has ended.
  void Release(const std::string& origin, ConnectionId connection);
  // Gives up a place in the queue, or a turn that was not taken. Harmless if there is neither. A
  // connection that asked and will not ask again owes this call, else the others wait for ever.
  void Leave(const std::string& origin, ConnectionId connection);

 private:
  struct Waiter {
    ConnectionId connection;
    std::function<void()> turn;
  };
  struct Origin {
    ConnectionId holder;
    bool out = false;  // the probe is made; else its turn is kept for `holder`
    std::uint64_t next_place = 0;
    std::map<std::uint64_t, Waiter> queue;  // by place
    absl::flat_hash_map<ConnectionId, std::uint64_t> places;
  };
  using Origins = absl::flat_hash_map<std::string, Origin>;
  // Keeps the turn for the next one, if any, and returns whom to call.
  std::function<void()> PassOn(Origins::iterator found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  Origins origins_ ABSL_GUARDED_BY(mu_);  // only those with a probe or a turn
};

}  // namespace poller
