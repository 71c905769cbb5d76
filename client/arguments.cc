#include "client/arguments.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "client/output/text.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller::client {

CLI::Validator WholeNumber(std::int64_t least, std::string what, std::int64_t most) {
  if (what.empty()) {
    what = most == std::numeric_limits<std::int64_t>::max()
               ? fmt::format("a whole number from {}", least)
               : fmt::format("a whole number from {} to {}", least, most);
  }
  const auto check = [least, most, what = std::move(what)](std::string& text) -> std::string {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && number >= least && number <= most) return "";
    return fmt::format("must be {}, not \"{}\"", what, Printable(text));
  };
  return CLI::Validator(check, "");
}

absl::StatusOr<absl::Time> ParseTimeOrAge(const std::string& text, absl::Time now) {
  const absl::StatusOr<absl::Time> time = poller::ParseTime(text);
  if (time.ok()) return time;
  const auto ago = ParseDuration(text);
  if (ago.ok() && *ago >= absl::ZeroDuration()) return now - *ago;
  return MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("\"{}\" is neither a time such as 2026-01-31 or 2026-01-31T10:00:00Z nor an age "
                  "such as 7d",
                  Printable(text)));
}

}  // namespace poller::client
