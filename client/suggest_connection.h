// Help for a name of a connection that the server does not know.
#pragma once

#include <string>

#include "client/session.h"

namespace poller::client {

// Says on standard error which connections have names near `typed`. Silent if none has, and if the
// server does not answer soon.
void SuggestConnection(Session& session, const std::string& typed);

}  // namespace poller::client
