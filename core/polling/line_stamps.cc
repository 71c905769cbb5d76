#include "core/polling/line_stamps.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace poller {
namespace {

constexpr std::size_t kMaxBytes = 2048;
// Stands at the end if older lines were left out.
constexpr char kMore = '+';

// The part of `text` before the first `separator`, which is taken off it.
std::string_view Take(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::int64_t Number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// `runs`: "991-995,1003".
bool HasLine(std::string_view runs, std::int64_t line) {
  while (!runs.empty()) {
    std::string_view run = Take(runs, ',');
    const std::int64_t first = Number(Take(run, '-'));
    const std::int64_t last = run.empty() ? first : Number(run);
    if (first <= line && line <= last) return true;
  }
  return false;
}

}  // namespace

std::string EncodeLineStamps(std::vector<LineStamp> lines) {
  std::erase_if(lines, [](const LineStamp& stamp) { return stamp.write_date.empty(); });
  // Newest first.
  std::sort(lines.begin(), lines.end(), [](const LineStamp& a, const LineStamp& b) {
    return a.write_date != b.write_date ? a.write_date > b.write_date : a.line < b.line;
  });
  std::string text;
  for (std::size_t i = 0; i < lines.size();) {
    const bool same = i > 0 && lines[i - 1].write_date == lines[i].write_date;
    std::size_t end = i + 1;
    while (end < lines.size() && lines[end].write_date == lines[i].write_date &&
           lines[end].line == lines[end - 1].line + 1) {
      ++end;
    }
    std::string run = same ? "," : (i == 0 ? "" : ";") + lines[i].write_date + "=";
    run += std::to_string(lines[i].line);
    if (end > i + 1) run += "-" + std::to_string(lines[end - 1].line);
    if (text.size() + run.size() > kMaxBytes) {
      text += kMore;
      break;
    }
    text += run;
    i = end;
  }
  return text;
}

bool HasLineStamp(std::string_view stamps, const LineStamp& stamp) {
  const bool more = !stamps.empty() && stamps.back() == kMore;
  if (more) stamps.remove_suffix(1);
  std::string_view oldest;
  while (!stamps.empty()) {
    std::string_view lines = Take(stamps, ';');
    oldest = Take(lines, '=');
    if (oldest == stamp.write_date) {
      if (HasLine(lines, stamp.line)) return true;
    }
  }
  return more && stamp.write_date <= oldest;
}

}  // namespace poller
