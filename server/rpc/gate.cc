#include "server/rpc/gate.h"

#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"

namespace poller::rpc {

absl::Status Draining() {
  return WithReason(
      absl::UnavailableError("the server is not serving now: it starts or stops; call again"),
      "DRAINING");
}

std::string AuthorizationOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  if (metadata.count("authorization") != 1) return {};
  const grpc::string_ref value = metadata.find("authorization")->second;
  return {value.data(), value.size()};
}

Task<absl::StatusOr<Token>> Gate::Identify(std::string authorization) {
  auto bearer = BearerToken(authorization);
  WipeString(authorization);
  CO_ASSIGN_OR_RETURN(Secret token, std::move(bearer));
  auto authenticate = [this, token] { return authenticator_.Authenticate(token); };
  co_return co_await Offload(storage_pool_, std::move(authenticate));
}

Task<absl::StatusOr<Call>> Gate::Admit(const Access& access, std::string authorization,
                                       std::shared_ptr<CallState> state) {
  CO_ASSIGN_OR_RETURN(Token token, co_await Identify(std::move(authorization)));
  if (access.method.empty()) {
    // A broken belief of ours, found by a test; for the caller it is closed.
    co_return WithReason(absl::PermissionDeniedError("no role may call this"), "ROLE_TOO_LOW");
  }
  CO_RETURN_IF_ERROR(RequireRole(token.role, access.role, access.method));
  if (!open_) co_return Draining();
  co_return Call(std::move(state), std::move(token));
}

Task<absl::Status> Gate::Recheck(std::string authorization) {
  const auto token = co_await Identify(std::move(authorization));
  co_return token.status();
}

void Gate::Ended(const Access& access, const Call& call, const absl::Status& status) {
  const bool ours = status.code() == absl::StatusCode::kInternal ||
                    status.code() == absl::StatusCode::kUnknown ||
                    status.code() == absl::StatusCode::kDataLoss;
  const LogLevel level = ours ? LogLevel::kError : LogLevel::kDebug;
  if (!log_.Enabled(level)) return;
  log_.Write(level, "call ended",
             {{"method", access.method}, {"token", call.token().name}, {"status", status}});
}

}  // namespace poller::rpc
