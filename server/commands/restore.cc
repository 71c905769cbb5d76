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

void Say(const std::string& line) { std::printf("%s\n", line.c_str()); }

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
  Say("lost: what was changed after the backup: connections, settings, secrets, tokens.");
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
