#include "core/odoo/http_fault.h"

#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "core/base/text.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/error_table.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

// What is said of an answer that is no JSON; a page of a proxy can be long and says little.
constexpr std::size_t kMaxBodyShown = 200;

std::string_view ContentType(const HttpResponse& response) {
  return response.Header("Content-Type").value_or("");
}

// Retry-After: seconds or a date. A date is measured against the same answer's Date, because their
// clock is not ours.
std::optional<absl::Duration> RetryAfter(const HttpResponse& response) {
  const auto value = response.Header("Retry-After");
  if (!value.has_value()) return std::nullopt;
  std::int64_t seconds = 0;
  if (absl::SimpleAtoi(std::string(*value), &seconds)) return absl::Seconds(seconds);
  const absl::StatusOr<absl::Time> until = ParseHttpDate(*value);
  const auto date = response.Header("Date");
  if (!until.ok() || !date.has_value()) return std::nullopt;
  const absl::StatusOr<absl::Time> now = ParseHttpDate(*date);
  if (!now.ok()) return std::nullopt;
  return *until - *now;
}

// The beginning of a body. No word of it is cut: who masks secrets would not know half of one.
std::string_view Beginning(std::string_view body) {
  if (body.size() <= kMaxBodyShown) return body;
  const std::size_t end = body.find_last_of(" \t\r\n\",;:=&?<>", kMaxBodyShown);
  return body.substr(0, end == body.npos ? 0 : end);
}

std::string DescribeHttp(const HttpResponse& response, OdooProtocol protocol) {
  const std::string_view type = ContentType(response);
  std::string text =
      fmt::format("HTTP {} ({})", response.status, type.empty() ? "no content type" : type);
  const auto location = response.Header("Location");
  if (response.status >= 300 && response.status < 400 && location.has_value()) {
    return fmt::format("{}: it redirects to {}; give that as the URL if it is right", text,
                       *location);
  }
  if (response.status == 404 && protocol == OdooProtocol::kJson2) {
    text +=
        ": the name of the database is wrong, or its PostgreSQL is down, or nothing here "
        "speaks JSON-2";
  }
  const std::string_view body = Beginning(response.body);
  if (!body.empty() && body.find('<') == body.npos) text.append(": ").append(body);
  return text;
}

}  // namespace

bool IsJson(const HttpResponse& response) {
  return ContentType(response).find("json") != std::string_view::npos;
}

std::string_view TextMember(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

absl::Status HttpFault(const HttpResponse& response, OdooProtocol protocol,
                       const json::object* error, bool names_records) {
  Fault fault;
  fault.protocol = protocol;
  fault.http_status = response.status;
  fault.content_type = ContentType(response);
  if (error != nullptr) fault.name = TextMember(*error, "name");
  fault.message =
      fault.name.empty() ? std::string_view(response.body) : TextMember(*error, "message");
  fault.has_retry_after = response.Header("Retry-After").has_value();
  fault.names_records = names_records;
  // PostgreSQL ends its messages with a newline.
  while (!fault.message.empty() && (fault.message.back() == '\n' || fault.message.back() == ' ')) {
    fault.message.remove_suffix(1);
  }
  const std::string text = fault.name.empty() ? DescribeHttp(response, protocol)
                                              : fmt::format("{}: {}", fault.name, fault.message);
  return MakeError(Classify(fault), text, RetryAfter(response));
}

}  // namespace poller::odoo
