#include "server/commands/admin_token.h"

#include <cstdio>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "server/admin_token.h"
#include "server/first_start.h"

namespace poller {

absl::Status RunAdminToken(const Options& options, Logger& log) {
  CryptoInit();
  SqliteOptions sqlite;
  sqlite.path = options.DbPath();
  sqlite.create = false;
  if (SqliteStorage::IsNew(sqlite.path)) {
    return MakeStatus(absl::StatusCode::kNotFound,
                      "there is no database " + sqlite.path.string() +
                          " yet: the first start makes it, and a token");
  }
  RETURN_IF_ERROR(SqliteStorage::CheckOurs(sqlite.path));
  ASSIGN_OR_RETURN(sqlite.master_keys,
                   LoadKeys(options, /*new_database=*/false, SystemRandom(), log));
  Metrics metrics;
  ASSIGN_OR_RETURN(const auto storage,
                   SqliteStorage::Open(sqlite, SystemClock(), SystemRandom(), metrics));
  RETURN_IF_ERROR(RenewAdminToken(options, storage->tokens(), SystemRandom(), SystemClock(), log));
  std::printf(
      "a new token of an administrator is in %s\n"
      "next: start pollerd; pollerctl token list shows the tokens there are: revoke the one that "
      "was lost\n",
      options.AdminTokenFile().c_str());
  return absl::OkStatus();
}

}  // namespace poller
