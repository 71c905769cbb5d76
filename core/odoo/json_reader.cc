#include "core/odoo/json_reader.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <string>

#include "core/base/status.h"
#include "core/base/text.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

// Builds the value, as Boost's own handler does, with exact numbers and a count of the members.
class Handler {
 public:
  using error_code = json::error_code;
  using string_view = json::string_view;
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Handler() { stack_.reset(); }
  json::value Release() { return stack_.release(); }
  std::size_t members() const { return members_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t n, error_code&) {
    members_ += n;
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(string_view s, std::size_t, error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_key(string_view s, std::size_t, error_code&) {
    stack_.push_key(s);
    return true;
  }
  bool on_string_part(string_view s, std::size_t, error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_string(string_view s, std::size_t, error_code&) {
    stack_.push_string(s);
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t i, string_view, error_code&) {
    stack_.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, string_view, error_code&) {
    stack_.push_uint64(u);
    return true;
  }
  // `text` is the whole number, because the whole document is parsed in one go.
  bool on_double(double rough, string_view text, error_code&) {
    double exact = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
    const bool in_range = error == std::errc() && end == text.data() + text.size();
    stack_.push_double(in_range ? exact : rough);
    return true;
  }
  bool on_bool(bool b, error_code&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::size_t members_ = 0;
};

// `value` is at most kMaxJsonDepth deep.
std::size_t CountMembers(const json::value& value) {
  std::size_t count = 0;
  if (const json::object* object = value.if_object()) {
    count += object->size();
    for (const auto& member : *object) count += CountMembers(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) count += CountMembers(item);
  }
  return count;
}

absl::StatusOr<json::value> ParseStrictly(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<Handler> parser(options);
  json::error_code error;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), error);
  } catch (const std::exception&) {  // a size beyond what Boost.JSON can hold
    return MakeStatus(absl::StatusCode::kInvalidArgument, "not JSON that can be held in memory");
  }
  if (!error && used < text.size() && text.find_first_not_of(" \t\r\n", used) != text.npos) {
    error = json::error::extra_data;
  }
  if (error) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      fmt::format("not JSON: {} at byte {}", error.message(), used));
  }
  json::value value = parser.handler().Release();
  if (CountMembers(value) != parser.handler().members()) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "not JSON: an object names a member twice");
  }
  return value;
}

// The four digits of "\uXXXX" at `at`.
std::optional<unsigned> EscapedUnit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* begin = text.data() + at + 2;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  if (error != std::errc() || end != begin + 4) return std::nullopt;
  return unit;
}

bool IsHigh(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool IsLow(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Copies the escape at `at` and returns where it ends; half a surrogate pair becomes U+FFFD.
std::size_t CopyEscape(std::string_view text, std::size_t at, std::string& out) {
  const std::optional<unsigned> unit = EscapedUnit(text, at);
  if (!unit.has_value()) {
    out += text.substr(at, 2);
    return std::min(at + 2, text.size());
  }
  if (IsHigh(*unit)) {
    const std::optional<unsigned> next = EscapedUnit(text, at + 6);
    if (next.has_value() && IsLow(*next)) {
      out += text.substr(at, 12);
      return at + 12;
    }
  }
  out += IsHigh(*unit) || IsLow(*unit) ? std::string_view("\\ufffd") : text.substr(at, 6);
  return at + 6;
}

// Puts into JSON what Python's encoder writes beyond it.
std::string Repair(std::string_view text) {
  constexpr std::string_view kBeyond[] = {"NaN", "Infinity"};
  constexpr std::string_view kInfinite = "1e999";
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string && text[i] == '\\') {
      i = CopyEscape(text, i, out);
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    if (!in_string) {
      const auto* word = std::find_if(std::begin(kBeyond), std::end(kBeyond), [&](auto beyond) {
        return text.substr(i).starts_with(beyond);
      });
      if (word != std::end(kBeyond)) {
        out += kInfinite;
        i += word->size();
        continue;
      }
    }
    out += text[i++];
  }
  return out;
}

}  // namespace

absl::StatusOr<json::value> ParseJson(std::string_view text) {
  absl::StatusOr<json::value> value = ParseStrictly(text);
  if (value.ok()) return value;
  const std::string repaired = Repair(ToValidUtf8(text));
  if (repaired == text) return value.status();
  absl::StatusOr<json::value> again = ParseStrictly(repaired);
  if (!again.ok()) return value.status();
  return again;
}

}  // namespace poller::odoo
