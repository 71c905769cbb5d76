#include "tests/support/py_json.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace poller::test {
namespace {

namespace json = boost::json;

// Reads one code point of valid UTF-8 at `i` and moves on; a bad byte is taken as it is.
char32_t NextCodePoint(std::string_view text, std::size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i++]);
  int more = 0;
  char32_t point = lead;
  if (lead >= 0xf0) {
    more = 3;
    point = lead & 0x07U;
  } else if (lead >= 0xe0) {
    more = 2;
    point = lead & 0x0fU;
  } else if (lead >= 0xc0) {
    more = 1;
    point = lead & 0x1fU;
  }
  for (; more > 0 && i < text.size(); --more) {
    point = (point << 6U) | (static_cast<unsigned char>(text[i++]) & 0x3fU);
  }
  return point;
}

void AppendEscape(std::string& out, unsigned unit) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", unit);
  out += buffer;
}

void AppendString(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const char32_t point = NextCodePoint(text, i);
    switch (point) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (point >= 0x20 && point < 0x7f) {
          out.push_back(static_cast<char>(point));
        } else if (point < 0x10000) {
          AppendEscape(out, static_cast<unsigned>(point));
        } else {
          AppendEscape(out, 0xd800U + static_cast<unsigned>((point - 0x10000) >> 10U));
          AppendEscape(out, 0xdc00U + static_cast<unsigned>((point - 0x10000) & 0x3ffU));
        }
    }
  }
  out.push_back('"');
}

void Append(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case json::kind::double_:
      out += PyFloat(value.get_double());
      break;
    case json::kind::string:
      AppendString(out, std::string_view(value.get_string()));
      break;
    case json::kind::array: {
      out.push_back('[');
      bool first = true;
      for (const json::value& item : value.get_array()) {
        if (!first) out += ", ";
        first = false;
        Append(out, item);
      }
      out.push_back(']');
      break;
    }
    case json::kind::object: {
      out.push_back('{');
      bool first = true;
      for (const auto& [key, item] : value.get_object()) {
        if (!first) out += ", ";
        first = false;
        AppendString(out, std::string_view(key));
        out += ": ";
        Append(out, item);
      }
      out.push_back('}');
      break;
    }
  }
}

std::string ReprString(std::string_view text) {
  const bool double_quoted =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quoted ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  out.push_back(quote);
  return out;
}

}  // namespace

std::string PyFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[400];
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, error == std::errc() ? end : buffer);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string PyJson(const json::value& value) {
  std::string out;
  Append(out, value);
  return out;
}

std::string PyRepr(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "None";
    case json::kind::bool_:
      return value.get_bool() ? "True" : "False";
    case json::kind::string:
      return ReprString(std::string_view(value.get_string()));
    case json::kind::array: {
      std::string out = "[";
      for (const json::value& item : value.get_array()) {
        if (out.size() > 1) out += ", ";
        out += PyRepr(item);
      }
      return out + "]";
    }
    case json::kind::object: {
      std::string out = "{";
      for (const auto& [key, item] : value.get_object()) {
        if (out.size() > 1) out += ", ";
        out += ReprString(std::string_view(key)) + ": " + PyRepr(item);
      }
      return out + "}";
    }
    default:
      return PyJson(value);
  }
}

}  // namespace poller::test
