// Names for calls that must not be done twice.
#pragma once

#include <string>

namespace poller::client {

// Random: a call that is repeated with it is done once.
std::string NewRequestId();

}  // namespace poller::client
