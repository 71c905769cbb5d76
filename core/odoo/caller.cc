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
#include "core/odoo/json2.h"
#include "core/odoo/json_rpc.h"
#include "core/odoo/records.h"
#include "core/odoo/version.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

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

std::unique_ptr<Codec> MakeCodec(const Target& target, OdooProtocol protocol) {
  if (protocol == OdooProtocol::kJson2) {
    return std::make_unique<Json2Codec>(target.url, target.database, target.api_key);
  }
  return std::make_unique<JsonRpcCodec>(target.url, target.database, target.username,
                                        target.api_key);
}

// What a try of JSON-2 says of JSON-2, and not of the whole server.
bool SpeaksAgainstJson2(std::optional<ErrorKind> kind) {
  return kind != ErrorKind::kRateLimited && kind != ErrorKind::kTooMuch &&
         kind != ErrorKind::kLocal;
}

// An Odoo that hides its version can be called all the same.
bool HidesVersion(std::optional<ErrorKind> kind) {
  return kind == ErrorKind::kQuery || kind == ErrorKind::kGarbage;
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
    : http_(http), target_(std::move(target)), session_(std::move(session)) {
  if (!MayChoose()) session_.protocol = target_.protocol;
  codec_ = MakeCodec(target_, session_.protocol);
}

void Caller::Use(OdooProtocol protocol) {
  session_.protocol = protocol;
  codec_ = MakeCodec(target_, protocol);
}

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

Task<absl::StatusOr<std::string>> Caller::AskVersion(OdooProtocol protocol) {
  codec_ = MakeCodec(target_, protocol);
  HttpRequest request = codec_->EncodeVersion();
  CO_ASSIGN_OR_RETURN(const json::value answer, co_await Exchange(std::move(request), "version"));
  CO_ASSIGN_OR_RETURN(session_.server_version, ReadVersion(answer));
  co_return session_.server_version;
}

Task<absl::StatusOr<std::string>> Caller::Version() {
  const OdooProtocol before = session_.protocol;
  absl::StatusOr<std::string> version;
  if (MayChoose()) {
    version = co_await Choose();
  } else {
    version = co_await AskVersion(target_.protocol);
  }
  if (!version.ok()) Use(before);
  co_return version;
}

Task<absl::StatusOr<std::string>> Caller::Choose() {
  const OdooProtocol before = session_.protocol;
  if (before == OdooProtocol::kJson2) {  // the usual case costs one call
    absl::StatusOr<std::string> same = co_await AskVersion(before);
    if (same.ok()) {
      Use(before);
      co_return same;
    }
  }
  absl::StatusOr<std::string> version = co_await AskVersion(OdooProtocol::kJsonRpc);
  const auto kind = ErrorKindOf(version.status());
  if (kind == ErrorKind::kProtocolGone || HidesVersion(kind)) {
    const absl::StatusOr<std::string> other = co_await AskVersion(OdooProtocol::kJson2);
    if (!other.ok()) co_return version;
    // Without JSON-RPC there is nothing to choose: whether the key is taken, the login will tell.
    if (kind == ErrorKind::kProtocolGone) {
      Use(OdooProtocol::kJson2);
      co_return other;
    }
    version = other;
  }
  CO_RETURN_IF_ERROR(version);
  if (MajorVersion(*version) >= kFirstWithJson2) {
    CO_RETURN_IF_ERROR(co_await PreferJson2());
  } else {
    Use(OdooProtocol::kJsonRpc);
  }
  co_return version;
}

// A password, and a proxy that knows no /json, work with JSON-RPC alone.
Task<absl::Status> Caller::PreferJson2() {
  const std::int64_t known = session_.uid;
  Use(OdooProtocol::kJson2);
  const absl::Status login = co_await Login();
  if (login.ok()) co_return login;
  session_.uid = known;
  if (!SpeaksAgainstJson2(ErrorKindOf(login))) co_return login;
  Use(OdooProtocol::kJsonRpc);
  co_return absl::OkStatus();
}

Task<absl::Status> Caller::NeedProtocol() {
  if (session_.protocol != OdooProtocol::kAuto) co_return absl::OkStatus();
  const absl::StatusOr<std::string> version = co_await Version();
  if (!version.ok() && !HidesVersion(ErrorKindOf(version.status()))) co_return version.status();
  if (session_.protocol == OdooProtocol::kAuto) Use(OdooProtocol::kJsonRpc);
  co_return absl::OkStatus();
}

Task<bool> Caller::FindAnother() {
  if (!MayChoose()) co_return false;
  const OdooProtocol before = session_.protocol;
  const absl::StatusOr<std::string> version = co_await Version();
  co_return version.ok() && session_.protocol != before;
}

Task<absl::Status> Caller::Login() {
  CO_RETURN_IF_ERROR(co_await NeedProtocol());
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
  CO_RETURN_IF_ERROR(co_await NeedProtocol());
  bool fresh = session_.uid == 0, searched = false;
  if (fresh) CO_RETURN_IF_ERROR(co_await Login());
  while (true) {
    HttpRequest request = codec_->EncodeCall(call, session_.uid);
    absl::StatusOr<json::value> result = co_await Exchange(std::move(request), what);
    const auto kind = ErrorKindOf(result.status());
    if (kind == ErrorKind::kProtocolGone && !std::exchange(searched, true)) {
      const bool found = co_await FindAnother();
      if (!found) co_return result;
      continue;
    }
    if (fresh || kind != ErrorKind::kCredentials) co_return result;
    // The uid may be stale: another database behind the name, or the user was made anew.
    fresh = true;
    CO_RETURN_IF_ERROR(co_await Login());
  }
}

}  // namespace poller::odoo
