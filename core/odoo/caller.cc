#include "core/odoo/caller.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/json_rpc.h"
#include "core/odoo/records.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxVersionBytes = 40;

ErrorKind KindOf(std::optional<TransportFailure> failure) {
  if (!failure.has_value()) return ErrorKind::kServerDown;
  if (IsOurFailure(*failure)) return ErrorKind::kLocal;
  const bool too_much =
      *failure == TransportFailure::kTimeout || *failure == TransportFailure::kTooLarge;
  return too_much ? ErrorKind::kTooMuch : ErrorKind::kServerDown;
}

// Without an answer there is nothing to classify but how it failed.
absl::Status FromTransport(const absl::Status& status) {
  absl::Status result = MakeError(KindOf(TransportFailureOf(status)), Message(status));
  // How it failed stays readable for a connection test (TransportFailureOf).
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

// "17.0" from common.version's object.
absl::StatusOr<std::string> ReadVersion(const json::value& answer) {
  const json::object* object = answer.if_object();
  const json::value* series = object == nullptr ? nullptr : object->if_contains("server_serie");
  const json::string* text = series == nullptr ? nullptr : series->if_string();
  if (text == nullptr || text->empty() || text->size() > kMaxVersionBytes) {
    return MakeError(ErrorKind::kGarbage, "version: the answer names no server_serie");
  }
  return SafeText(std::string_view(text->data(), text->size()));
}

// Archived records are part of orders too. Without company ids a user sees all their companies.
json::object Context(const std::vector<std::int64_t>& company_ids) {
  json::object context;
  context["active_test"] = false;
  if (!company_ids.empty()) {
    json::array companies;
    for (const std::int64_t id : company_ids) companies.emplace_back(id);
    context["allowed_company_ids"] = std::move(companies);
  }
  return context;
}

}  // namespace

Caller::Caller(HttpClient& http, Target target, Session session)
    : http_(http),
      target_(std::move(target)),
      session_(std::move(session)),
      codec_(std::make_unique<JsonRpcCodec>(target_.url, target_.database, target_.username,
                                            target_.api_key)) {}

void Caller::NoteDate(const HttpResponse& response) {
  last_date_.reset();
  const auto header = response.Header("Date");
  if (!header.has_value()) return;
  const absl::StatusOr<absl::Time> date = ParseHttpDate(*header);
  if (!date.ok()) return;
  last_date_ = *date;
  if (!first_date_.has_value()) first_date_ = *date;
}

absl::Status Caller::Safe(const absl::Status& status, const std::string& what) const {
  const std::string message = fmt::format("{}: {}", what, Message(status));
  absl::Status result =
      MakeStatus(status.code(), SafeText(MaskSecrets(message, {target_.api_key})));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

Task<absl::StatusOr<json::value>> Caller::Exchange(HttpRequest request, std::string what) {
  request.timeout = target_.timeout;
  request.connect_timeout = std::min(request.connect_timeout, target_.timeout);
  request.max_response_bytes = target_.max_response_bytes;
  request.ca_pem = target_.ca_pem;
  absl::StatusOr<HttpResponse> response = co_await http_.Send(std::move(request));
  if (!response.ok()) {
    last_date_.reset();
    co_return Safe(FromTransport(response.status()), what);
  }
  NoteDate(*response);
  absl::StatusOr<json::value> result = codec_->Decode(*response);
  if (!result.ok()) co_return Safe(result.status(), what);
  co_return result;
}

Task<absl::StatusOr<std::string>> Caller::Version() {
  HttpRequest request = codec_->EncodeVersion();
  CO_ASSIGN_OR_RETURN(const json::value answer, co_await Exchange(std::move(request), "version"));
  CO_ASSIGN_OR_RETURN(session_.server_version, ReadVersion(answer));
  co_return session_.server_version;
}

Task<absl::Status> Caller::Login() {
  session_.uid = 0;
  HttpRequest request = codec_->EncodeLogin();
  CO_ASSIGN_OR_RETURN(const json::value answer, co_await Exchange(std::move(request), "login"));
  if (answer.is_bool() && !answer.get_bool()) {
    co_return MakeError(
        ErrorKind::kCredentials,
        SafeText(fmt::format("login: Odoo refuses the user {} with this key in the database {}",
                             target_.username, target_.database)));
  }
  const std::int64_t* uid = answer.if_int64();
  if (uid == nullptr || *uid <= 0 || *uid > kMaxRecordId) {
    co_return MakeError(ErrorKind::kGarbage, "login: the answer is not a user's id");
  }
  session_.uid = *uid;
  co_return absl::OkStatus();
}

Task<absl::StatusOr<json::value>> Caller::Execute(Call call) {
  const std::string what = call.model + "." + call.method;
  call.arguments["context"] = Context(target_.company_ids);
  bool fresh = session_.uid == 0;
  if (fresh) CO_RETURN_IF_ERROR(co_await Login());
  while (true) {
    HttpRequest request = codec_->EncodeCall(call, session_.uid);
    absl::StatusOr<json::value> result = co_await Exchange(std::move(request), what);
    if (fresh || ErrorKindOf(result.status()) != ErrorKind::kCredentials) co_return result;
    // The uid may be stale: another database behind the name, or the user was made anew.
    fresh = true;
    CO_RETURN_IF_ERROR(co_await Login());
  }
}

}  // namespace poller::odoo
