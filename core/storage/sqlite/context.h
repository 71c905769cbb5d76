// What every store of one database shares.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/storage/sqlite/reader_pool.h"
#include "core/storage/sqlite/vault.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// Owned by SqliteStorage, which outlives the stores' use.
struct StoreContext {
  Writer& writer;
  ReaderPool& readers;
  const Vault& vault;
  std::int64_t run;  // this run of the process, from 1: marks its claims
  // What turns a reading of the monotonic clock into one of the store's (StoreTime).
  absl::Duration epoch;
  int revision_floor = 1;  // revision_floor.h

  Instant StoreTime(const Instant& now) const { return {now.wall, now.mono + epoch}; }
};

// The store's own monotonic clock begins with each run at the wall time of that moment, and then
// follows the machine's monotonic clock. So waits that are stored stay right over a restart without
// being rewritten, and a jump of the wall clock moves none.
inline absl::Duration EpochOf(const Instant& start) {
  return (start.wall - absl::UnixEpoch()) - start.mono;
}

}  // namespace poller
