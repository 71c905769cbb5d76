#include "tests/support/http_types.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>
#include <cctype>

namespace poller::test {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

void AppendLittleEndian(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

void HttpHeaders::Add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

void HttpHeaders::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void HttpHeaders::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return SameName(field.first, name); });
}

bool HttpHeaders::Has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const auto& field) { return SameName(field.first, name); });
}

std::string HttpHeaders::Get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (SameName(key, name)) return value;
  }
  return "";
}

std::string FormatHttpDate(absl::Time time) {
  // Not absl::FormatTime: its %a and %b follow the process's locale.
  static constexpr const char* kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const absl::CivilSecond civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<int>(absl::GetWeekday(civil))], civil.day(),
                kMonths[civil.month() - 1], static_cast<int>(civil.year()), civil.hour(),
                civil.minute(), civil.second());
  return buffer;
}

std::string_view ReasonPhrase(int status) {
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
  if (known == boost::beast::http::status::unknown) return "Unknown";
  const auto text = boost::beast::http::obsolete_reason(known);
  return {text.data(), text.size()};
}

std::string Gzip(std::string_view data) {
  namespace zlib = boost::beast::zlib;
  zlib::deflate_stream deflate;
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
  std::string compressed(deflate.upper_bound(data.size()) + 64, '\0');
  zlib::z_params params;
  params.next_in = data.data();
  params.avail_in = data.size();
  params.next_out = compressed.data();
  params.avail_out = compressed.size();
  boost::system::error_code error;
  deflate.write(params, zlib::Flush::finish, error);
  out.append(compressed, 0, params.total_out);
  boost::crc_32_type crc;
  crc.process_bytes(data.data(), data.size());
  AppendLittleEndian(out, crc.checksum());
  AppendLittleEndian(out, static_cast<std::uint32_t>(data.size()));
  return out;
}

std::string QueryValue(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == key) {
      return equals == std::string_view::npos ? "" : PercentDecode(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return "";
}

TestReply JsonReply(int status, std::string body) {
  TestReply reply;
  reply.status = status;
  reply.headers.Add("Content-Type", "application/json; charset=utf-8");
  reply.body = std::move(body);
  return reply;
}

TestReply TextReply(int status, std::string body) {
  TestReply reply;
  reply.status = status;
  reply.headers.Add("Content-Type", "text/plain; charset=utf-8");
  reply.body = std::move(body);
  return reply;
}

TestReply ResetReply() {
  TestReply reply;
  reply.ending = Ending::kReset;
  return reply;
}

TestReply HangReply() {
  TestReply reply;
  reply.ending = Ending::kHang;
  return reply;
}

}  // namespace poller::test
