#include "server/commands/restore.h"

#include <cstdio>
#include <string>

#include "core/base/clock.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/restore.h"
#include "server/first_start.h"

namespace poller {
namespace {

constexpr std::size_t kMaxName = 100;

void Say(const std::string& line) { std::printf("%s\n", line.c_str()); }

// What was replaced or revoked after the backup, and whether it is so again.
void TellSecrets(const RestoreReport& report) {
  if (report.previous.empty()) return;
  if (!report.previous_read) {
    Say("check: the previous database could not be read: tokens that were revoked and webhook "
        "secrets that were replaced after the backup count again. Revoke and rotate them.");
    return;
  }
  if (report.revoked > 0)
    Say("kept: the revocation of " + std::to_string(report.revoked) + " tokens");
  for (const std::string& name : report.secrets_kept)
    Say("kept: the newer webhook secret of " + SafeText(name, kMaxName));
  for (const std::string& name : report.secrets_old) {
    Say("check: " + SafeText(name, kMaxName) +
        " sends to another receiver again, with the webhook secret of the backup: if that was "
        "replaced, rotate it");
  }
}

void Tell(const RestoreReport& report, const RestoreOptions& restore) {
  Say("restored: " + restore.database.string() + ", from the backup of " +
      poller::FormatTime(report.made));
  if (!report.previous.empty()) Say("kept: the previous database, as " + report.previous.string());
  Say("connections: " + std::to_string(report.connections) +
      ", deliveries that wait: " + std::to_string(report.waiting) +
      ", in flight when the backup was made: " + std::to_string(report.interrupted));
  Say("next: start pollerd. Each connection is polled and swept first; until both are complete it "
      "delivers nothing, so that nothing stale goes out. Orders that changed since the backup are "
      "announced as order.updated; those that wait are sent again under the ids that they had.");
  TellSecrets(report);
  Say("lost: what was changed after the backup: connections, settings, keys of Odoo, tokens.");
}

}  // namespace

absl::Status RunRestore(const std::filesystem::path& backup, const Options& options, Logger& log) {
  RETURN_IF_ERROR(PrepareDataDir(options, log));
  RestoreOptions restore;
  restore.backup = backup;
  restore.database = options.DbPath();
  ASSIGN_OR_RETURN(restore.master_keys,
                   LoadKeys(options, /*new_database=*/false, SystemRandom(), log));
  ASSIGN_OR_RETURN(const RestoreReport report,
                   RestoreDatabase(restore, SystemClock(), SystemRandom()));
  Tell(report, restore);
  return absl::OkStatus();
}

}  // namespace poller
