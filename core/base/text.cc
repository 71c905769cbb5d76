#include "core/base/text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "fmt/format.h"

namespace poller {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
// A shorter secret would turn every second word into stars, and is none.
constexpr std::size_t kMinSecretBytes = 4;

struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 0;  // 0: the first byte does not begin a well-formed character
};

unsigned char ByteAt(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The first character of `text`, which is not empty. Table 3-7 of the Unicode standard.
Decoded DecodeFirst(std::string_view text) {
  const unsigned char lead = ByteAt(text, 0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  unsigned char low = 0x80;  // the range of the second byte excludes overlong forms and surrogates
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  char32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned char next = ByteAt(text, i);
    if (next < low || next > high) return {};
    low = 0x80;
    high = 0xBF;
    point = (point << 6) | (next & 0x3FU);
  }
  return {point, length};
}

// Characters that break a line or reorder what a reader sees, though they are not controls by
// number.
bool IsInvisibleFormat(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F ||  // direction marks
         (point >= 0x2028 &&
          point <= 0x202E) ||  // line and paragraph separator, embeddings, overrides
         (point >= 0x2066 && point <= 0x2069) ||  // isolates
         point == 0xFEFF;                         // byte order mark
}

// How `character`, which is `point`, is written.
void AppendSafe(std::string& out, std::string_view character, char32_t point, bool keep_newlines) {
  if (point == '\n') {
    out += keep_newlines ? "\n" : "\\n";
  } else if (point < 0x20 || (point >= 0x7F && point <= 0x9F)) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(point));
  } else if (IsInvisibleFormat(point)) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(point));
  } else {
    out += character;
  }
}

using Range = std::pair<std::size_t, std::size_t>;  // [begin, end)

void FindSecret(std::string_view text, std::string_view secret, std::vector<Range>& found) {
  if (secret.size() < kMinSecretBytes) return;
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 1)) {
    found.emplace_back(at, at + secret.size());
  }
}

void FindUserInfo(std::string_view text, std::vector<Range>& found) {
  constexpr std::string_view kSeparator = "://";
  for (auto at = text.find(kSeparator); at != text.npos; at = text.find(kSeparator, at + 1)) {
    const std::size_t begin = at + kSeparator.size();
    const std::size_t end = std::min(text.find_first_of("/?# \t\r\n", begin), text.size());
    const std::size_t sign = text.substr(begin, end - begin).rfind('@');
    if (sign != text.npos && sign > 0) found.emplace_back(begin, begin + sign);
  }
}

}  // namespace

std::string SafeText(std::string_view text, std::size_t max_bytes, bool keep_newlines) {
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  const std::size_t room = max_bytes > kEllipsis.size() ? max_bytes - kEllipsis.size() : 0;
  std::size_t cut = 0;  // the last edge where the ellipsis still fits behind it
  while (!text.empty()) {
    const Decoded next = DecodeFirst(text);
    if (next.bytes == 0) {
      out += kReplacement;
    } else {
      AppendSafe(out, text.substr(0, next.bytes), next.point, keep_newlines);
    }
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
    if (out.size() <= room) cut = out.size();
    if (out.size() > max_bytes) {
      out.resize(cut);
      if (max_bytes >= kEllipsis.size()) out += kEllipsis;
      break;
    }
  }
  return out;
}

std::string MaskSecrets(std::string_view text, const std::vector<Secret>& secrets) {
  std::vector<Range> found;
  for (const Secret& secret : secrets) FindSecret(text, secret.Reveal(), found);
  FindUserInfo(text, found);
  std::sort(found.begin(), found.end());
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i < found.size();) {
    const std::size_t begin = found[i].first;
    std::size_t end = found[i].second;
    // Ranges that overlap are one: what two secrets share must not survive between them.
    for (++i; i < found.size() && found[i].first < end; ++i) end = std::max(end, found[i].second);
    out += text.substr(done, begin - done);
    out += "***";
    done = end;
  }
  out += text.substr(done);
  return out;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = DecodeFirst(text);
    if (next.bytes == 0) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  if (IsValidUtf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + kReplacement.size());
  while (!text.empty()) {
    const Decoded next = DecodeFirst(text);
    out += next.bytes == 0 ? kReplacement : text.substr(0, next.bytes);
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return out;
}

}  // namespace poller
