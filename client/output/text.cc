#include "client/output/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "client/output/width_table.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

constexpr std::size_t kMaxCell = 1000;
constexpr std::size_t kMaxLines = std::size_t{4} << 20;

template <std::size_t N>
bool In(const std::array<CharacterRange, N>& ranges, std::uint32_t c) {
  const auto* after =
      std::upper_bound(ranges.begin(), ranges.end(), c,
                       [](std::uint32_t code, const CharacterRange& r) { return code < r.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

struct Character {
  std::size_t bytes;
  std::uint32_t code;
  std::size_t width;
};

// The character at the start of well-formed, non-empty UTF-8.
Character Next(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t code = bytes == 1 ? lead : lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes && i < text.size(); ++i) {
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  const std::size_t width = In(kZeroWidth, code) ? 0 : In(kDoubleWidth, code) ? 2 : 1;
  return {std::min(bytes, text.size()), code, width};
}

// How many bytes of `text` fit into `width` columns.
std::size_t BytesWithin(std::string_view text, std::size_t width) {
  std::size_t bytes = 0, used = 0;
  while (bytes < text.size()) {
    const Character c = Next(text.substr(bytes));
    if (used + c.width > width) break;
    bytes += c.bytes;
    used += c.width;
  }
  return bytes;
}

bool TurnsDirection(std::uint32_t code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
         code == 0x200e || code == 0x200f;
}

std::string EscapeDirection(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character c = Next(text);
    if (TurnsDirection(c.code)) {
      result += fmt::format("\\u{:04x}", c.code);
    } else {
      result += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return result;
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = Next(text);
    width += c.width;
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string FitWidth(std::string_view text, std::size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string_view kept = text.substr(0, BytesWithin(text, width - 1));
  if (const std::size_t last = kept.find_last_not_of(' '); last != std::string_view::npos)
    kept = kept.substr(0, last + 1);
  return std::string(kept) + "…";
}

std::vector<std::string> WrapWidth(std::string_view text, std::size_t width,
                                   std::size_t max_lines) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    if (lines.size() + 1 >= max_lines || DisplayWidth(text) <= width) {
      lines.push_back(FitWidth(text, width));
      break;
    }
    std::size_t end = BytesWithin(text, width);
    const std::size_t blank = text.rfind(' ', end);
    if (blank != std::string_view::npos && blank > 0) end = blank;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  }
  return lines;
}

std::string Printable(std::string_view text) { return EscapeDirection(SafeText(text, kMaxCell)); }

std::string PrintableLines(std::string_view text) {
  return EscapeDirection(SafeText(text, kMaxLines, /*keep_newlines=*/true));
}

std::string RelativeTime(absl::Time time, absl::Time now) {
  const bool past = time <= now;
  const absl::Duration distance = past ? now - time : time - now;
  std::string text;
  if (distance < absl::Seconds(1)) return "now";
  if (distance < absl::Seconds(100)) {
    text = fmt::format("{}s", absl::ToInt64Seconds(distance));
  } else if (distance < absl::Minutes(100)) {
    text = fmt::format("{}m", absl::ToInt64Minutes(distance));
  } else if (distance < absl::Hours(48)) {
    text = fmt::format("{}h", absl::ToInt64Hours(distance));
  } else {
    text = fmt::format("{}d", absl::ToInt64Hours(distance) / 24);
  }
  return past ? text + " ago" : "in " + text;
}

std::string Counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string ShortDuration(absl::Duration duration) {
  if (duration < absl::Seconds(1)) return fmt::format("{}ms", absl::ToInt64Milliseconds(duration));
  if (duration < absl::Seconds(60)) return fmt::format("{:.1f}s", absl::ToDoubleSeconds(duration));
  return poller::FormatDuration(absl::Trunc(duration, absl::Seconds(1)));
}

}  // namespace poller::client
