// The test of a connection, step by step.
#pragma once

#include <string>

#include "client/session.h"

namespace poller::client {

// Runs and shows it. kUnhealthy: a step failed.
int RunTest(Session& session, const std::string& id);

}  // namespace poller::client
