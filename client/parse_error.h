// A command line that cannot be understood.
#pragma once

#include <CLI/CLI.hpp>

#include "client/io.h"
#include "client/registry.h"

namespace poller::client {

// Says what is wrong with it, what may have been meant, and where the help is. Returns kUsage.
int ReportParseError(const CLI::App& app, const Registry& registry, const CLI::ParseError& error,
                     Io& io);

// The help of `app`, as it is printed.
std::string HelpText(const CLI::App& app);

}  // namespace poller::client
