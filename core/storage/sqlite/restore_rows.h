// What a restore changes in the rows of a backup.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/storage/sqlite/replaced_rows.h"
#include "core/storage/sqlite/restore.h"
#include "core/storage/sqlite/vault.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// Numbers that a database has given out.
struct GivenOut {
  std::map<std::string, std::int64_t> sequences;  // by table
  int revision = 0;                               // the highest
};
absl::StatusOr<GivenOut> GivenOutBy(Database& db);

// What the database that is replaced knows, as far as it can be read.
struct Replaced {
  GivenOut given;
  std::optional<ReplacedSecrets> secrets;
};

// In the database of a backup, whose schema is ours. `before`: of the database that it replaces. `now` is the store's time (context.h). RestoreReport::previous is left to the
// caller.
absl::StatusOr<RestoreReport> RestoreRows(Transaction& transaction, const Vault& vault,
                                          const Replaced& before, const std::string& backup_name,
                                          const Instant& now);

}  // namespace poller
