// From arguments and environment to options.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/options.h"

namespace poller {

using Environment = std::map<std::string, std::string>;

enum class Command { kServe, kCheck, kKeygen, kRestore, kAdminToken, kImport, kHelp, kVersion };

// Of kImport.
struct ImportArguments {
  std::filesystem::path from;             // the database of the Python poller
  std::filesystem::path fernet_key_file;  // what its secrets are sealed with
  bool yes = false;                       // do not ask
  bool dry_run = false;                   // look, and change nothing
};

struct CommandLine {
  Command command = Command::kServe;
  Options options;
  std::filesystem::path file;  // kRestore: the backup
  ImportArguments import;
  std::vector<std::string> warnings;  // variables that look like ours and are not
};

// A flag wins over its variable; an empty variable counts as unset. `arguments` are without the
// program's name. kInvalidArgument names the flag or the variable that is wrong; options are
// validated only for commands that use them.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const Environment& environment);

// The text of --help.
std::string HelpText();

// A copy of the process's environment. The bytes of kKeyVariable are overwritten in the process,
// and the variable is removed: other processes of this user can read the block. Call it before any
// thread starts.
Environment TakeEnvironment();

}  // namespace poller
