#include "core/odoo/json2.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "core/base/status.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/http_fault.h"
#include "core/odoo/json_reader.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

}  // namespace

Json2Codec::Json2Codec(const std::string& url, std::string database, const Secret& key)
    : base_(url),
      database_(std::move(database)),
      authorization_("bearer " + std::string(key.Reveal())) {
  while (base_.ends_with('/')) base_.pop_back();
}

HttpRequest Json2Codec::EncodeVersion() {
  names_records_ = login_ = false;
  HttpRequest request;
  request.method = "GET";
  request.url = base_ + "/web/version";
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"X-Odoo-Database", database_});
  return request;
}

HttpRequest Json2Codec::EncodeLogin() {
  names_records_ = false;
  login_ = true;
  return Post(Call("res.users", "context_get"));
}

HttpRequest Json2Codec::EncodeCall(const Call& call, std::int64_t) {
  names_records_ = call.names_records || !call.ids.empty();
  login_ = false;
  return Post(call);
}

HttpRequest Json2Codec::Post(const Call& call) const {
  json::object body = call.arguments;
  if (!call.ids.empty()) {
    json::array ids;
    for (const std::int64_t id : call.ids) ids.emplace_back(id);
    body["ids"] = std::move(ids);
  }
  HttpRequest request;
  request.url = base_ + "/json/2/" + call.model + "/" + call.method;
  request.headers.push_back({"Content-Type", "application/json"});
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"Authorization", std::string(authorization_.Reveal())});
  request.headers.push_back({"X-Odoo-Database", database_});
  request.body = json::serialize(body);
  return request;
}

absl::StatusOr<json::value> Json2Codec::Decode(const HttpResponse& response) {
  const auto fault = [&](const json::object* error) {
    return HttpFault(response, OdooProtocol::kJson2, error, names_records_);
  };
  if (!IsJson(response)) return fault(nullptr);
  absl::StatusOr<json::value> parsed = ParseJson(response.body);
  if (response.status != 200) return fault(parsed.ok() ? parsed->if_object() : nullptr);
  if (!parsed.ok()) return MakeError(ErrorKind::kGarbage, Message(parsed.status()));
  if (!login_) return parsed;
  json::object* context = parsed->if_object();
  json::value* uid = context == nullptr ? nullptr : context->if_contains("uid");
  return uid == nullptr ? json::value() : std::move(*uid);
}

}  // namespace poller::odoo
