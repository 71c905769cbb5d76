#include "server/commands/open_database.h"

#include "core/base/status.h"
#include "server/first_start.h"

namespace poller {

absl::StatusOr<std::unique_ptr<SqliteStorage>> OpenDatabase(const Options& options, bool create,
                                                            const Clock& clock,
                                                            RandomSource& random, Metrics& metrics,
                                                            Logger& log) {
  SqliteOptions sqlite;
  sqlite.path = options.DbPath();
  sqlite.create = create;
  RETURN_IF_ERROR(SqliteStorage::CheckOurs(sqlite.path));
  ASSIGN_OR_RETURN(sqlite.master_keys, LoadKeys(options, create, random, log));
  return SqliteStorage::Open(sqlite, clock, random, metrics);
}

}  // namespace poller
