// pollerd keygen.
#pragma once

#include <string>

#include "core/base/random_source.h"

namespace poller {

// A new master key, one line: what stands in a key file.
std::string NewKeyLine(RandomSource& random);

}  // namespace poller
