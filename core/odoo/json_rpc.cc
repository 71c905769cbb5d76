#include "core/odoo/json_rpc.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/error_table.h"
#include "core/odoo/json_reader.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

// What is said of an answer that is no JSON; a page of a proxy can be long and says little.
constexpr std::size_t kMaxBodyShown = 200;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

std::string_view TextMember(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : View(*text);
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

std::string DescribeHttp(const HttpResponse& response, std::string_view content_type) {
  std::string text = fmt::format("HTTP {} ({})", response.status,
                                 content_type.empty() ? "no content type" : content_type);
  const auto location = response.Header("Location");
  if (response.status >= 300 && response.status < 400 && location.has_value()) {
    return fmt::format("{}: it redirects to {}; give that as the URL if it is right", text,
                       *location);
  }
  const std::string_view body = std::string_view(response.body).substr(0, kMaxBodyShown);
  if (!body.empty() && body.find('<') == body.npos) text.append(": ").append(body);
  return text;
}

absl::Status FaultStatus(const HttpResponse& response, std::string_view content_type,
                         std::string_view name, std::string_view message, bool names_records) {
  Fault fault;
  fault.http_status = response.status;
  fault.content_type = content_type;
  fault.name = name;
  fault.message = name.empty() ? std::string_view(response.body) : message;
  fault.has_retry_after = response.Header("Retry-After").has_value();
  fault.names_records = names_records;
  const std::string text =
      name.empty() ? DescribeHttp(response, content_type) : fmt::format("{}: {}", name, message);
  return MakeError(Classify(fault), text, RetryAfter(response));
}

absl::Status Garbage(std::string_view what) { return MakeError(ErrorKind::kGarbage, what); }

// The object that holds `name` and `message`: {"error": {"data": {…}}}, or the answer itself as
// Odoo's other routes write it. Null: none.
const json::object* ErrorData(const json::object& answer) {
  const json::value* error = answer.if_contains("error");
  if (error == nullptr) return answer.contains("result") ? nullptr : &answer;
  const json::object* object = error->if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  return data == nullptr ? nullptr : data->if_object();
}

}  // namespace

JsonRpcCodec::JsonRpcCodec(const std::string& url, std::string database, std::string username,
                           Secret key)
    : endpoint_(url),
      database_(std::move(database)),
      username_(std::move(username)),
      key_(std::move(key)) {
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
  endpoint_ += "/jsonrpc";
}

HttpRequest JsonRpcCodec::Encode(const char* service, const char* method, json::array args) {
  json::object params;
  params["service"] = service;
  params["method"] = method;
  params["args"] = std::move(args);
  json::object body;
  body["jsonrpc"] = "2.0";
  body["method"] = "call";
  body["id"] = ++last_id_;
  body["params"] = std::move(params);

  HttpRequest request;
  request.url = endpoint_;
  request.headers.push_back({"Content-Type", "application/json"});
  request.headers.push_back({"Accept", "application/json"});
  // 19 finds its database by it at once, where it else looks for one; older ones ignore it.
  request.headers.push_back({"X-Odoo-Database", database_});
  request.body = json::serialize(body);
  return request;
}

HttpRequest JsonRpcCodec::EncodeVersion() {
  names_records_ = false;
  return Encode("common", "version", {});
}

HttpRequest JsonRpcCodec::EncodeLogin() {
  names_records_ = false;
  json::array args;
  args.emplace_back(database_);
  args.emplace_back(username_);
  args.emplace_back(key_.Reveal());
  args.emplace_back(json::object());  // required, though nobody needs it
  return Encode("common", "authenticate", std::move(args));
}

HttpRequest JsonRpcCodec::EncodeCall(const Call& call, std::int64_t uid) {
  names_records_ = call.names_records || !call.ids.empty();
  json::array positional;
  if (!call.ids.empty()) {
    json::array ids;
    for (const std::int64_t id : call.ids) ids.emplace_back(id);
    positional.emplace_back(std::move(ids));
  }
  json::array args;
  args.emplace_back(database_);
  args.emplace_back(uid);
  args.emplace_back(key_.Reveal());
  args.emplace_back(call.model);
  args.emplace_back(call.method);
  args.emplace_back(std::move(positional));
  args.emplace_back(call.arguments);
  return Encode("object", "execute_kw", std::move(args));
}

absl::StatusOr<json::value> JsonRpcCodec::Decode(const HttpResponse& response) {
  const std::string_view content_type = response.Header("Content-Type").value_or("");
  const bool is_json = content_type.find("json") != content_type.npos;
  const auto fault = [&](std::string_view name, std::string_view message) {
    return FaultStatus(response, content_type, name, message, names_records_);
  };
  if (!is_json) return fault("", "");

  absl::StatusOr<json::value> parsed = ParseJson(response.body);
  if (!parsed.ok()) {
    if (response.status != 200) return fault("", "");
    return Garbage(Message(parsed.status()));
  }
  json::object* answer = parsed->if_object();
  if (response.status != 200) {
    const json::object* data = answer == nullptr ? nullptr : ErrorData(*answer);
    if (data == nullptr) return fault("", "");
    return fault(TextMember(*data, "name"), TextMember(*data, "message"));
  }
  if (answer == nullptr) return Garbage("not an answer of JSON-RPC: not an object");
  if (TextMember(*answer, "jsonrpc") != "2.0") {
    return Garbage("not an answer of JSON-RPC: no version 2.0");
  }
  const json::value* id = answer->if_contains("id");
  if (id == nullptr || id->if_int64() == nullptr || id->get_int64() != last_id_) {
    return Garbage("an answer to another question: its id is not ours");
  }
  if (answer->contains("error")) {
    const json::object* data = ErrorData(*answer);
    const std::string_view name = data == nullptr ? "" : TextMember(*data, "name");
    if (name.empty()) return Garbage("an error of JSON-RPC that does not say what it is");
    return fault(name, TextMember(*data, "message"));
  }
  json::value* result = answer->if_contains("result");
  // A method that returns nothing leaves `result` out.
  return result == nullptr ? json::value() : std::move(*result);
}

}  // namespace poller::odoo
