#include "core/odoo/json_rpc.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "core/base/status.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/http_fault.h"
#include "core/odoo/json_reader.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

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
  const auto fault = [&](const json::object* error) {
    return HttpFault(response, OdooProtocol::kJsonRpc, error, names_records_);
  };
  if (!IsJson(response)) return fault(nullptr);

  absl::StatusOr<json::value> parsed = ParseJson(response.body);
  if (!parsed.ok()) {
    if (response.status != 200) return fault(nullptr);
    return Garbage(Message(parsed.status()));
  }
  json::object* answer = parsed->if_object();
  if (response.status != 200) {
    return fault(answer == nullptr ? nullptr : ErrorData(*answer));
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
    if (data == nullptr || TextMember(*data, "name").empty()) {
      return Garbage("an error of JSON-RPC that does not say what it is");
    }
    return fault(data);
  }
  json::value* result = answer->if_contains("result");
  // A method that returns nothing leaves `result` out.
  return result == nullptr ? json::value() : std::move(*result);
}

}  // namespace poller::odoo
