// Text as a terminal shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace poller::client {

// Columns that well-formed UTF-8 takes on a terminal: wide characters take two, combining ones
// none.
std::size_t DisplayWidth(std::string_view text);
// `text` in at most `width` columns, ending in "…" when it was cut; characters are never split.
std::string FitWidth(std::string_view text, std::size_t width);
// `text` in lines of at most `width` (at least 2) columns, broken at blanks where there are any; what
// does not go into `max_lines` is cut, and ends in "…".
std::vector<std::string> WrapWidth(std::string_view text, std::size_t width, std::size_t max_lines);
// Text from a server, safe to print on one line: control characters and those that turn the writing
// direction are escaped.
std::string Printable(std::string_view text);
// The same, but lines stay lines: for bodies and messages.
std::string PrintableLines(std::string_view text);
// "3s ago", "5m ago", "2h ago", "4d ago", "in 30s", "now".
std::string RelativeTime(absl::Time time, absl::Time now);
// "1 order", "3 orders".
std::string Counted(std::int64_t count, std::string_view one, std::string_view many);
// "120ms", "3.4s", "2m5s": short, for a person.
std::string ShortDuration(absl::Duration duration);

}  // namespace poller::client
