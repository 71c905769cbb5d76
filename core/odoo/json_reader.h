// JSON that a stranger wrote.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "absl/status/statusor.h"

namespace poller::odoo {

// Deeper than any answer of Odoo.
inline constexpr int kMaxJsonDepth = 32;

// Parses one document. Differs from Boost.JSON's own parser in that
// - a number with a fraction is the double nearest to its text (Boost 1.81 is off by a bit where
// there are 16 digits or more, which would
//   change prices);
// - what Python writes and JSON forbids does not make a whole answer unreadable: NaN and Infinity
// are read as infinite numbers, lone
//   surrogates and bad UTF-8 as U+FFFD, so that only the record that holds them suffers;
// - an object that names a member twice is refused: nobody can say which is meant.
// Infinite numbers can also come from `1e400`: who reads a number checks it. Integers over 64 bits
// become doubles. kInvalidArgument says what is wrong and where, and repeats nothing of the text.
// Pure; thread-safe.
absl::StatusOr<boost::json::value> ParseJson(std::string_view text);

}  // namespace poller::odoo
