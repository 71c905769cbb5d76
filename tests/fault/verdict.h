// What must have arrived in the end.
#pragma once

#include <string>
#include <vector>

#include "tests/fault/world.h"

namespace poller::test {

// Every order that is confirmed in the shop is compared with what the receiver accepted last. A
// line for each that is lost or stands there in an older form; empty: all is as it should be. To be
// asked when everything had time to arrive.
// `with_history`: what existed before the start was asked for too.
std::vector<std::string> CompareOrders(World& world, bool with_history = false);

}  // namespace poller::test
