// Whether there is room for more on the disk of the database.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/storage/event_log.h"

namespace poller {

// Bytes that this process may still write to the filesystem of `path`. kUnavailable says why it
// cannot be told. Thread-safe.
absl::StatusOr<std::int64_t> FreeDisk(const std::filesystem::path& path);

// kFailedPrecondition (reason NO_DISK_SPACE): `what`, which takes `needed` bytes, would leave less
// than `min_free` of the `free` ones.
absl::Status CheckRoom(std::string_view what, std::int64_t needed, std::int64_t free,
                       std::int64_t min_free);

// Looks every few seconds, and says so in the log and in an event when the disk runs low and when
// it has room again. One coroutine, started once; low() and free_bytes() from any thread.
// Collaborators outlive it.
class DiskWatch {
 public:
  struct Deps {
    std::function<absl::StatusOr<std::int64_t>()> measure;  // free bytes; called on the pool
    EventLog& events;
    Sleeper& sleeper;
    const Clock& clock;
    Executor storage_pool;
    Logger& log;
    std::function<void()> recovered;  // called after low() became false
  };
  static constexpr absl::Duration kInterval = absl::Seconds(5);

  // `min_free` in bytes; 0: never low.
  DiskWatch(Deps deps, std::int64_t min_free) : deps_(std::move(deps)), min_free_(min_free) {}

  // The first look, blocking: before it low() is false.
  void Start() { Take(deps_.measure()); }
  // Until Stop.
  Task<void> Run();
  // Any thread.
  void Stop();

  // Less than `min_free` was free at the last look, and not a tenth more since. A disk that cannot
  // be measured changes nothing.
  bool low() const { return low_; }
  std::int64_t min_free() const { return min_free_; }
  // At the last look; -1: not known.
  std::int64_t free_bytes() const { return free_; }

 private:
  void Take(const absl::StatusOr<std::int64_t>& free);
  Task<void> Announce();

  const Deps deps_;
  const std::int64_t min_free_;
  std::atomic<bool> low_ = false;
  std::atomic<std::int64_t> free_ = -1;
  std::atomic<bool> stopped_ = false;
  bool announced_ = false;  // what the last event said
  Wakeup wakeup_;
};

}  // namespace poller
