// What every store of one database shares.
#pragma once

#include <cstdint>

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
};

}  // namespace poller
