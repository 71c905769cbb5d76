// Makes a new database file, and opens an existing one for writing.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/random_source.h"
#include "core/crypto/key_ring.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// Under a temporary name, then renamed: a crash leaves no half-made file under `path`. The lock is
// held.
absl::Status CreateDatabase(const std::filesystem::path& path, const KeyRing& keys,
                            RandomSource& random);
// In WAL mode with synchronous=FULL. Changes nothing in the file but the mode.
absl::StatusOr<std::unique_ptr<Database>> OpenForWriting(const std::filesystem::path& path);

}  // namespace poller
