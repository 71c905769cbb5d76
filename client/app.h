// The whole client as a function.
#pragma once

#include <string>
#include <vector>

#include "client/io.h"

namespace poller::client {

// Runs one command line (without the program's name) and returns the exit code: see exit_code.h.
int RunClient(const std::vector<std::string>& arguments, Io& io);

}  // namespace poller::client
