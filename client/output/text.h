// Text as a terminal shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace poller::client {

// Columns that well-formed UTF-8 takes on a terminal: wide characters take two, combining ones
// none.
std::size_t DisplayWidth(std::string_view text);
// `text` in at most `width` columns, ending in "…" when it was cut; characters are never split.
std::string FitWidth(std::string_view text, std::size_t width);
// Text from a server, safe to print on one line: control characters and those that turn the writing
// direction are escaped.
std::string Printable(std::string_view text);
// The same, but lines stay lines: for bodies and messages.
std::string PrintableLines(std::string_view text);
// "3s ago", "5m ago", "2h ago", "4d ago", "in 30s", "now".
std::string RelativeTime(absl::Time time, absl::Time now);
// "120ms", "3.4s", "2m5s": short, for a person.
std::string ShortDuration(absl::Duration duration);

}  // namespace poller::client
