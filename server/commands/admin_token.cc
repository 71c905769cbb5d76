#include "server/commands/admin_token.h"

#include <cstdio>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "server/admin_token.h"
#include "server/commands/open_database.h"

namespace poller {

absl::Status RunAdminToken(const Options& options, Logger& log) {
  CryptoInit();
  if (SqliteStorage::IsNew(options.DbPath())) {
    return MakeStatus(absl::StatusCode::kNotFound,
                      "there is no database " + options.DbPath().string() +
                          " yet: the first start makes it, and a token");
  }
  Metrics metrics;
  ASSIGN_OR_RETURN(const auto storage, OpenDatabase(options, /*create=*/false, SystemClock(),
                                                    SystemRandom(), metrics, log));
  RETURN_IF_ERROR(RenewAdminToken(options, storage->tokens(), SystemRandom(), SystemClock(), log));
  std::printf(
      "a new token of an administrator is in %s\n"
      "next: start pollerd; pollerctl token list shows the tokens there are: revoke the one that "
      "was lost\n",
      options.AdminTokenFile().c_str());
  return absl::OkStatus();
}

}  // namespace poller
