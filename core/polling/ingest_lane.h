// Who may call a shop's Odoo next.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/task.h"

namespace poller {

// Who comes first. First come, first served within one priority.
enum class LanePriority {
  kPoll,        // what keeps the promise of a shop's cadence
  kRequest,     // lines, and what a person asked for
  kBackground,  // sweeps, backfills
};

// A mutex for coroutines. One coroutine at a time holds it, from its read of Odoo to its commit, so
// that no older reading is committed after a newer one. Thread-safe; waiting costs no thread.
class IngestLane {
 public:
  // Holds the lane until it is destroyed, on any thread. It keeps the lane's state alive.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&&) noexcept = default;
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { Release(); }

   private:
    friend class IngestLane;
    struct State;
    explicit Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void Release();
    std::shared_ptr<State> state_;
  };

  IngestLane();
  // Await it on a strand or a single-threaded executor.
  Task<Guard> Acquire(LanePriority priority);

  // A call to the Odoo of this lane is about to begin. Returns how long it has to wait so that it
  // begins at least `gap` after the one before.
  absl::Duration ReserveCall(absl::Duration gap, absl::Duration now);

 private:
  std::shared_ptr<Guard::State> state_;
};

// The lanes of Odoo databases: connections with the same origin and database take turns.
// Thread-safe.
class LaneRegistry {
 public:
  // The same lane for the same `url` origin and `database`, as long as somebody keeps it.
  std::shared_ptr<IngestLane> For(const std::string& url, const std::string& database);

 private:
  absl::Mutex mu_;
  std::map<std::string, std::weak_ptr<IngestLane>> lanes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller
