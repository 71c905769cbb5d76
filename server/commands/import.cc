#include "server/commands/import.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/crypto/fernet.h"
#include "core/crypto/hash.h"
#include "core/storage/sqlite/python_poller_file.h"
#include "server/admin_token.h"
#include "server/commands/import_plan.h"
#include "server/commands/import_table.h"
#include "server/commands/open_database.h"
#include "server/files.h"
#include "server/first_start.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

constexpr int kPage = 1000;

absl::StatusOr<FernetKeys> ReadKeys(const fs::path& path, Logger& log) {
  auto content = ReadSmallFile(path);
  if (!content.ok()) return AddContext(content.status(), "--fernet-key-file");
  if (IsReadableByOthers(path))
    log.Warning("others can read the Fernet key: chmod 600", {{"file", path.string()}});
  auto keys = FernetKeys::Parse(*content);
  if (!keys.ok()) return AddContext(keys.status(), "--fernet-key-file " + path.string());
  return keys;
}

// The database that is imported into.
class Target {
 public:
  Target(const Options& options, const Clock& clock, Logger& log)
      : options_(options), clock_(clock), log_(log) {}

  // Opens it, if there is one.
  absl::Status Find(const fs::path& source) {
    std::error_code error;
    if (fs::equivalent(options_.DbPath(), source, error)) {
      return MakeStatus(absl::StatusCode::kInvalidArgument,
                        "--db-path: " + source.string() +
                            " is the file to import from: name another for the new database");
    }
    if (SqliteStorage::IsNew(options_.DbPath())) return SqliteStorage::CheckOurs(options_.DbPath());
    return Open(/*create=*/false);
  }
  absl::Status Make() {
    if (storage_ != nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(PrepareDataDir(options_, log_));
    return Open(/*create=*/true);
  }
  absl::StatusOr<std::vector<ConnectionWithState>> Connections() {
    std::vector<ConnectionWithState> all;
    if (storage_ == nullptr) return all;
    while (true) {
      const ConnectionId after = all.empty() ? ConnectionId() : all.back().connection.id;
      ASSIGN_OR_RETURN(auto page, storage_->connections().List(after, kPage));
      const bool last = page.size() < kPage;
      for (ConnectionWithState& row : page) all.push_back(std::move(row));
      if (last) return all;
    }
  }
  absl::StatusOr<ImportedCounts> Import(const std::vector<ImportedConnection>& connections) {
    const absl::Time now = clock_.Now();
    const Actor actor{.token_name = "pollerd import", .request_id = ""};
    RETURN_IF_ERROR(EnsureAdminToken(options_, storage_->tokens(), SystemRandom(), clock_, log_));
    return storage_->imports().Import(connections, actor, now);
  }

 private:
  absl::Status Open(bool create) {
    ASSIGN_OR_RETURN(storage_,
                     OpenDatabase(options_, create, clock_, SystemRandom(), metrics_, log_));
    return absl::OkStatus();
  }

  const Options& options_;
  const Clock& clock_;
  Logger& log_;
  Metrics metrics_;
  std::unique_ptr<SqliteStorage> storage_;  // null: there is none yet
};

absl::Status Refuse(const fs::path& source, const std::vector<std::string>& problems) {
  std::string text = "nothing was imported from " + source.string() + ":";
  for (const std::string& problem : problems) text += "\n  " + problem;
  return MakeStatus(absl::StatusCode::kInvalidArgument, text);
}

absl::Status Confirm(const ImportArguments& arguments, const ImportConsole& console,
                     const ImportedCounts& planned) {
  if (arguments.yes) return absl::OkStatus();
  if (!console.ask) {
    return MakeStatus(absl::StatusCode::kFailedPrecondition,
                      "nothing was imported: nobody can be asked here; --yes imports without, "
                      "--dry-run only looks");
  }
  const std::string question = "Import " + std::to_string(planned.connections) +
                               (planned.connections == 1 ? " connection" : " connections") +
                               "? The Python poller must be stopped, and stay so. [y/N] ";
  if (console.ask(question)) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kCancelled, "nothing was imported");
}

std::string NextSteps(const ImportedCounts& counts) {
  std::string text =
      "next: start pollerd; all that was imported is paused. `pollerctl test NAME` tries one, "
      "`pollerctl resume NAME` starts it: it goes on where the Python poller stopped. Never run "
      "both.\n";
  if (counts.owed > 0)
    text += "What waits is read from Odoo again by the first poll, and sent as it is then.\n";
  if (counts.given_up > 0)
    text +=
        "What was discarded is dead: `pollerctl retries --dead` lists it, `pollerctl retry N` "
        "sends it.\n";
  return text;
}

}  // namespace

ImportConsole TerminalConsole() {
  ImportConsole console;
  console.say = [](const std::string& text) { std::fputs(text.c_str(), stdout); };
  if (isatty(STDIN_FILENO) == 0) return console;
  console.ask = [](const std::string& question) {
    std::fputs(question.c_str(), stdout);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
  };
  return console;
}

absl::Status RunImport(const ImportArguments& arguments, const Options& options,
                       const ImportConsole& console, const Clock& clock, Logger& log) {
  CryptoInit();
  ASSIGN_OR_RETURN(const FernetKeys keys, ReadKeys(arguments.fernet_key_file, log));
  Target target(options, clock, log);
  RETURN_IF_ERROR(target.Find(arguments.from));
  ASSIGN_OR_RETURN(const auto file, PythonPollerFile::Open(arguments.from));
  const PlanInput input{keys, options.default_webhook_url, options.overlap, clock.Now()};
  ASSIGN_OR_RETURN(ImportPlan plan, PlanImport(*file, input));
  ASSIGN_OR_RETURN(const auto here, target.Connections());
  CompareWith(here, plan);
  console.say("from " + arguments.from.string() + " into " + options.DbPath().string() + ":\n\n" +
              ImportTable(plan) + "\n");
  if (!plan.problems.empty()) return Refuse(arguments.from, plan.problems);
  const ImportedCounts planned = Planned(plan);
  if (arguments.dry_run) {
    console.say("would import: " + ImportSummary(planned) + "\n");
    return absl::OkStatus();
  }
  if (planned.connections == 0) {
    console.say("nothing to import\n");
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Confirm(arguments, console, planned));
  RETURN_IF_ERROR(target.Make());
  ASSIGN_OR_RETURN(const ImportedCounts done, target.Import(ToImport(plan, *file)));
  console.say("imported: " + ImportSummary(done) + "\n" + NextSteps(done));
  return absl::OkStatus();
}

}  // namespace poller
