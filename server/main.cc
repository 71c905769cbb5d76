// pollerd: polls Odoo shops and delivers their orders as signed webhooks.
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "server/app.h"
#include "server/command_line.h"
#include "server/commands/admin_token.h"
#include "server/commands/check.h"
#include "server/commands/import.h"
#include "server/commands/keygen.h"
#include "server/commands/restore.h"
#include "server/grpc_server.h"
#include "server/signals.h"

namespace poller {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "pollerd: %s\n", std::string(Message(status)).c_str());
  return code;
}

int Serve(const Options& options, Logger& log) {
  StopSignals signals;
  SendGrpcLogTo(log);
  auto app = App::Start(options, log);
  if (!app.ok()) return Fail(kFailed, app.status());
  // For whoever waits for it: alone on its line.
  for (const std::string& address : (*app)->addresses())
    std::fprintf(stderr, "listening on %s\n", address.c_str());
  signals.WaitFor(1);
  log.Info("stopping", {{"grace", FormatDuration(options.shutdown_grace)}});
  if (!(*app)->Stop([&signals] { return signals.count() > 1; })) std::_Exit(kFailed);
  app->reset();
  log.Info("stopped");
  return kOk;
}

// The commands that need the database for themselves.
absl::Status RunOffline(const CommandLine& line, Logger& log) {
  if (line.command == Command::kRestore) return RunRestore(line.file, line.options, log);
  if (line.command == Command::kAdminToken) return RunAdminToken(line.options, log);
  if (line.command == Command::kImport)
    return RunImport(line.import, line.options, TerminalConsole(), SystemClock(), log);
  return RunCheck(line.options, log);
}

int Run(const CommandLine& line) {
  if (line.command == Command::kHelp) {
    std::fputs(HelpText().c_str(), stdout);
    return kOk;
  }
  if (line.command == Command::kVersion) {
    std::printf("pollerd %s\n", std::string(ProgramVersion()).c_str());
    return kOk;
  }
  if (line.command == Command::kKeygen) {
    std::fputs(NewKeyLine(SystemRandom()).c_str(), stdout);
    return kOk;
  }
  // Lives for ever: gRPC logs through it to the very end.
  auto* const log = new StderrLogger(line.options.log_level, line.options.log_format);
  for (const std::string& name : line.warnings)
    log->Warning("there is no such setting; pollerd --help lists all", {{"variable", name}});
  if (line.command == Command::kServe) return Serve(line.options, *log);
  const absl::Status done = RunOffline(line, *log);
  return done.ok() ? kOk : Fail(kFailed, done);
}

}  // namespace
}  // namespace poller

int main(int argc, char** argv) {
  umask(S_IRWXG | S_IRWXO);  // whatever we make is ours alone
  poller::Environment environment = poller::TakeEnvironment();
  const auto line =
      poller::ParseCommandLine(std::vector<std::string>(argv + 1, argv + argc), environment);
  poller::WipeString(environment[std::string(poller::kKeyVariable)]);
  return line.ok() ? poller::Run(*line) : poller::Fail(poller::kUsage, line.status());
}
