// `pollerd import`.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "server/command_line.h"
#include "server/options.h"

namespace poller {

// Where it talks to a person.
struct ImportConsole {
  std::function<void(const std::string& text)> say;  // ends with a newline
  // Empty: nobody can be asked.
  std::function<bool(const std::string& question)> ask;
};
// Says on stdout; asks on the terminal that stdin is, if it is one.
ImportConsole TerminalConsole();

// Takes over from the Python poller, whose file stays as it is: shows what there is, asks, and brings
// it in within one transaction; makes the database, its key and a token as a first start does where
// there are none. What is here already is left alone. Everything is checked before anything is made
// or changed. Errors: PythonPollerFile::Open, LoadKeys, SqliteStorage::Open (LOCKED: pollerd runs),
// kInvalidArgument with every problem of PlanImport; kCancelled: the answer was no.
absl::Status RunImport(const ImportArguments& arguments, const Options& options,
                       const ImportConsole& console, const Clock& clock, Logger& log);

}  // namespace poller
