#include "server/command_line.h"

#include <string.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::string_view kPrefix = "POLLER_";

// What stood on the command line, before it is understood.
struct Given {
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // by flag
  std::map<std::string, bool, std::less<>> switches;
  std::string file;
  std::string from, fernet_key_file;
  bool yes = false, dry_run = false;
};

absl::Status Bad(std::string_view what) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, what);
}

std::string FirstLine(std::string text) { return text.substr(0, text.find('\n')); }

void Declare(CLI::App& app, Given& given) {
  for (const Setting& setting : Settings()) {
    const std::string flag(setting.flag);
    if (setting.IsSwitch()) {
      app.add_flag(flag, given.switches[flag]);
      continue;
    }
    auto* option = app.add_option(flag, given.values[flag])->allow_extra_args(false);
    if (!setting.repeatable) option->expected(1);
  }
}

absl::StatusOr<Given> Read(std::vector<std::string> arguments, Command& command) {
  Given given;
  bool help = false;
  bool version = false;
  // Whoever asks how a command is used gives none of what it requires.
  if (std::any_of(arguments.begin(), arguments.end(),
                  [](const std::string& word) { return word == "--help" || word == "-h"; })) {
    command = Command::kHelp;
    return given;
  }
  CLI::App app;
  app.set_help_flag();
  app.fallthrough();
  app.add_flag("-h,--help", help);
  app.add_flag("--version", version);
  Declare(app, given);
  auto* check = app.add_subcommand("check");
  auto* keygen = app.add_subcommand("keygen");
  auto* restore = app.add_subcommand("restore");
  restore->add_option("FILE", given.file)->required();
  auto* admin_token = app.add_subcommand("admin-token");
  auto* import = app.add_subcommand("import");
  import->add_option("--from", given.from)->required();
  import->add_option("--fernet-key-file", given.fernet_key_file)->required();
  import->add_flag("--yes", given.yes);
  import->add_flag("--dry-run", given.dry_run);
  for (auto* sub : {check, keygen, restore, admin_token, import}) sub->set_help_flag();
  app.require_subcommand(0, 1);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::Error& error) {
    return Bad(FirstLine(error.what()) + " (pollerd --help lists what there is)");
  }
  if (check->parsed()) command = Command::kCheck;
  if (keygen->parsed()) command = Command::kKeygen;
  if (restore->parsed()) command = Command::kRestore;
  if (admin_token->parsed()) command = Command::kAdminToken;
  if (import->parsed()) command = Command::kImport;
  if (version) command = Command::kVersion;
  if (help) command = Command::kHelp;
  return given;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

absl::Status Apply(const Setting& setting, Options& options, const std::vector<std::string>& texts,
                   const std::string& where) {
  for (const std::string& text : texts) {
    const absl::Status status = setting.apply(options, text);
    if (!status.ok()) return AddContext(status, where + " " + text);
  }
  return absl::OkStatus();
}

absl::Status ApplySetting(const Setting& setting, const Given& given,
                          const Environment& environment, Options& options) {
  const auto values = given.values.find(setting.flag);
  if (values != given.values.end() && !values->second.empty()) {
    return Apply(setting, options, values->second, std::string(setting.flag));
  }
  const auto on = given.switches.find(setting.flag);
  if (on != given.switches.end() && on->second)
    return Apply(setting, options, {"true"}, std::string(setting.flag));
  const auto variable = environment.find(setting.Variable());
  if (variable == environment.end() || variable->second.empty()) return absl::OkStatus();
  const auto texts =
      setting.repeatable ? SplitAtCommas(variable->second) : std::vector{variable->second};
  return Apply(setting, options, texts, variable->first);
}

bool IsOurs(const std::string& variable) {
  if (variable == kKeyVariable) return true;
  for (const Setting& setting : Settings()) {
    if (setting.Variable() == variable) return true;
  }
  return false;
}

bool TakesOptions(Command command) {
  switch (command) {
    case Command::kServe:
    case Command::kCheck:
    case Command::kRestore:
    case Command::kImport:
    case Command::kAdminToken:
      return true;
    case Command::kKeygen:
    case Command::kHelp:
    case Command::kVersion:
      return false;
  }
  return false;
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const Environment& environment) {
  CommandLine line;
  ASSIGN_OR_RETURN(const Given given, Read(arguments, line.command));
  for (const auto& [name, value] : environment) {
    if (name.starts_with(kPrefix) && !IsOurs(name)) line.warnings.push_back(name);
  }
  if (!TakesOptions(line.command)) return line;
  line.file = given.file;
  line.import = {given.from, given.fernet_key_file, given.yes, given.dry_run};
  for (const Setting& setting : Settings()) {
    RETURN_IF_ERROR(ApplySetting(setting, given, environment, line.options));
  }
  const auto key = environment.find(std::string(kKeyVariable));
  if (key != environment.end()) line.options.encryption_key = Secret(key->second);
  RETURN_IF_ERROR(line.options.Validate());
  return line;
}

std::string HelpText() {
  std::string text =
      "pollerd: polls Odoo shops for confirmed orders and delivers them as signed webhooks.\n"
      "\n"
      "Usage: pollerd [FLAGS]          serve until SIGTERM or SIGINT\n"
      "       pollerd check [FLAGS]    check settings, key and database, and exit\n"
      "       pollerd keygen           print a new encryption key\n"
      "       pollerd restore FILE [FLAGS]\n"
      "                                put a backup back; what was there is kept beside it\n"
      "       pollerd admin-token [FLAGS]\n"
      "                                make a new token of an administrator, if none is left\n"
      "       pollerd import --from poller.db --fernet-key-file FILE [--dry-run | --yes] [FLAGS]\n"
      "                                take over from the Python poller: its connections "
      "(paused),\n"
      "                                what they sent and what they owe. Shows what there is and\n"
      "                                asks; --yes does not ask, --dry-run changes nothing\n"
      "       pollerd --help | --version\n"
      "\n"
      "Each flag has an environment variable; the flag wins. Durations are written 30s, 5m, 72h, "
      "7d.\n";
  for (const Setting& setting : Settings()) {
    text += "\n  " + std::string(setting.flag);
    if (!setting.IsSwitch()) text += " " + std::string(setting.value);
    text += "\n      " + std::string(setting.help) + ".\n      " + setting.Variable() +
            ", default: " + std::string(setting.initial);
    if (setting.repeatable) text += "; repeatable, with commas in the variable";
    text += "\n";
  }
  text += "\n  " + std::string(kKeyVariable) +
          "\n      the encryption key itself, instead of a file; the process forgets the variable "
          "at once. A file is better.\n";
  return text;
}

Environment TakeEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    char* const equals = strchr(*entry, '=');
    if (equals == nullptr) continue;
    const std::string name(*entry, static_cast<std::size_t>(equals - *entry));
    environment[name] = equals + 1;
    if (name == kKeyVariable) explicit_bzero(equals + 1, strlen(equals + 1));
  }
  unsetenv(std::string(kKeyVariable).c_str());
  return environment;
}

}  // namespace poller
