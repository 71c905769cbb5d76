// --watch: a verb that is done again and again, in place on a terminal.
#pragma once

#include <CLI/CLI.hpp>

#include "client/registry.h"

namespace poller::client {

// Gives `verb` the flag --watch: with it the verb is done every 2 s, or as often as the flag says,
// until the user interrupts (kDone). On a terminal the window shows the newest answer, which stays
// when it is left; else each answer is appended: a table under the time, json as a document, of
// jsonl the lines that are new. Once there was an answer, a server that is away is said and tried
// again; what a repetition cannot mend ends it with the exit code of the verb.
void AddWatch(Registry& registry, CLI::App& verb);

}  // namespace poller::client
