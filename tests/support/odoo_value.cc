#include "tests/support/odoo_value.h"

#include <boost/json/array.hpp>
#include <cstdio>
#include <cstdlib>

#include "tests/support/py_json.h"

namespace poller::test {
namespace {

namespace json = boost::json;

[[noreturn]] void DoesNotFit(const FieldDef& field, const json::value& value) {
  std::fprintf(stderr, "simulated Odoo: field %s cannot hold %s\n", field.name.c_str(),
               PyRepr(value).c_str());
  std::abort();
}

// Reads exactly `digits` digits at `at` and moves on.
std::optional<int> Digits(std::string_view text, std::size_t& at, std::size_t digits) {
  if (text.size() < at + digits) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  at += digits;
  return number;
}

bool Skip(std::string_view text, std::size_t& at, std::string_view one_of) {
  if (at >= text.size() || one_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

absl::Duration Fraction(std::string_view text, std::size_t& at) {
  absl::Duration fraction;
  absl::Duration unit = absl::Milliseconds(100);
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
    fraction += unit * (text[at] - '0');
  }
  return fraction;
}

bool SkipZone(std::string_view text, std::size_t& at) {
  if (Skip(text, at, "Zz")) return true;
  if (!Skip(text, at, "+-")) return false;
  if (!Digits(text, at, 2).has_value()) return false;
  Skip(text, at, ":");
  return at == text.size() || Digits(text, at, 2).has_value();
}

}  // namespace

std::string OdooDatetime(absl::Time time) {
  const absl::CivilSecond civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d %02d:%02d:%02d",
                static_cast<int>(civil.year()), civil.month(), civil.day(), civil.hour(),
                civil.minute(), civil.second());
  return buffer;
}

std::optional<ParsedDatetime> ParseDatetimeText(std::string_view text) {
  std::size_t at = 0;
  const auto year = Digits(text, at, 4);
  if (!year.has_value() || !Skip(text, at, "-")) return std::nullopt;
  const auto month = Digits(text, at, 2);
  if (!month.has_value() || !Skip(text, at, "-")) return std::nullopt;
  const auto day = Digits(text, at, 2);
  if (!day.has_value()) return std::nullopt;
  int clock[3] = {0, 0, 0};
  absl::Duration fraction;
  bool has_zone = false;
  if (at < text.size()) {
    if (!Skip(text, at, " T")) return std::nullopt;
    for (int i = 0; i < 3; ++i) {
      if (i > 0 && !Skip(text, at, ":")) return std::nullopt;
      const auto part = Digits(text, at, 2);
      if (!part.has_value()) return std::nullopt;
      clock[i] = *part;
    }
    if (Skip(text, at, ".")) fraction = Fraction(text, at);
    if (at < text.size()) {
      has_zone = SkipZone(text, at);
      if (!has_zone || at != text.size()) return std::nullopt;
    }
  }
  const absl::CivilSecond civil(*year, *month, *day, clock[0], clock[1], clock[2]);
  if (civil.month() != *month || civil.day() != *day || civil.second() != clock[2]) {
    return std::nullopt;
  }
  return ParsedDatetime{absl::FromCivil(civil, absl::UTCTimeZone()) + fraction, has_zone};
}

FieldValue FieldFromJson(const FieldDef& field, const json::value& value) {
  if (value.is_null() ||
      (value.is_bool() && !value.get_bool() && field.type != FieldType::kBoolean)) {
    return {};
  }
  switch (field.type) {
    case FieldType::kBoolean:
      if (value.is_bool()) return value.get_bool();
      break;
    case FieldType::kInteger:
      if (value.is_int64()) return value.get_int64();
      break;
    case FieldType::kFloat:
    case FieldType::kMonetary:
      if (value.is_double()) return value.get_double();
      if (value.is_int64()) return static_cast<double>(value.get_int64());
      break;
    case FieldType::kMany2one:
      if (value.is_int64()) return value.get_int64();
      if (value.is_array() && !value.get_array().empty()) return value.get_array()[0].as_int64();
      break;
    case FieldType::kOne2many:
    case FieldType::kMany2many:
      if (value.is_array()) {
        std::vector<RecordId> ids;
        for (const json::value& id : value.get_array()) ids.push_back(id.as_int64());
        return ids;
      }
      break;
    case FieldType::kDatetime:
      if (value.is_string()) {
        const auto parsed = ParseDatetimeText(std::string_view(value.get_string()));
        if (parsed.has_value()) return parsed->time;
      }
      break;
    default:
      if (value.is_string()) return std::string(value.get_string());
  }
  DoesNotFit(field, value);
}

json::value FieldToJson(const FieldDef& field, const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    switch (field.type) {
      case FieldType::kInteger:
        return 0;
      case FieldType::kFloat:
      case FieldType::kMonetary:
        return 0.0;
      case FieldType::kOne2many:
      case FieldType::kMany2many:
        return json::array();
      default:
        return false;
    }
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return json::value(*text);
  if (const auto* time = std::get_if<absl::Time>(&value)) return json::value(OdooDatetime(*time));
  json::array ids;
  for (const RecordId id : std::get<std::vector<RecordId>>(value)) ids.push_back(id);
  return ids;
}

bool IsEmptyValue(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  if (const auto* flag = std::get_if<bool>(&value)) return !*flag;
  if (const auto* ids = std::get_if<std::vector<RecordId>>(&value)) return ids->empty();
  return false;
}

}  // namespace poller::test
