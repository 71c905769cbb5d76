// Durations and sizes as people write them.
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/base/status.h"
#include "core/base/text.h"
#include "fmt/format.h"

namespace poller {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// In milliseconds, falling.
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
// A hundred years: longer is a slip of the finger, and far from any overflow.
constexpr std::int64_t kMaxMilliseconds = 100LL * 366 * 86'400'000;

constexpr std::array<Unit, 4> kByteUnits = {
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}}};

absl::Status Bad(std::string_view expected) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, expected);
}

absl::Status BadDuration() {
  return Bad("expected a duration such as 90s, 5m, 1h30m, 7d, 250ms or 0 (units: d, h, m, s, ms)");
}

// Takes the digits at the front of `text`. Nothing if there are none, or too many for an int64.
std::optional<std::int64_t> TakeNumber(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// Takes the letters at the front of `text`.
std::string_view TakeWord(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= 'a' && text[length] <= 'z') ++length;
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

// Index in kTimeUnits.
std::optional<std::size_t> FindTimeUnit(std::string_view name) {
  for (std::size_t i = 0; i < kTimeUnits.size(); ++i) {
    if (kTimeUnits[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  if (text.empty()) return BadDuration();
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units come in falling order, each once
  while (!text.empty()) {
    const std::optional<std::int64_t> number = TakeNumber(text);
    const std::optional<std::size_t> unit = FindTimeUnit(TakeWord(text));
    if (!number || !unit || *unit < next_unit) return BadDuration();
    next_unit = *unit + 1;
    const std::int64_t factor = kTimeUnits[*unit].factor;
    if (*number > (kMaxMilliseconds - total) / factor) {
      return Bad("the duration is too long: at most 36600d");
    }
    total += *number * factor;
  }
  return absl::Milliseconds(total);
}

std::string FormatDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "infinite";
  if (duration == -absl::InfiniteDuration()) return "-infinite";
  std::string out;
  std::int64_t rest = absl::ToInt64Milliseconds(duration);
  if (rest < 0) {
    out = "-";
    rest = rest == std::numeric_limits<std::int64_t>::min()
               ? std::numeric_limits<std::int64_t>::max()
               : -rest;
  }
  if (rest == 0) return "0s";
  for (const Unit& unit : kTimeUnits) {
    if (rest >= unit.factor) {
      fmt::format_to(std::back_inserter(out), "{}{}", rest / unit.factor, unit.name);
      rest %= unit.factor;
    }
  }
  return out;
}

absl::StatusOr<std::int64_t> ParseBytes(std::string_view text) {
  const std::optional<std::int64_t> number = TakeNumber(text);
  if (number && text.empty()) return *number;
  for (const Unit& unit : kByteUnits) {
    if (!number || text != unit.name) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) {
      return Bad("the size is too large");
    }
    return *number * unit.factor;
  }
  return Bad("expected a size such as 64KiB, 32MiB, 1GiB, 2TiB or 512 (bytes)");
}

std::string FormatBytes(std::int64_t bytes) {
  for (const Unit& unit : kByteUnits) {
    if (bytes != 0 && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
  }
  return std::to_string(bytes);
}

}  // namespace poller
