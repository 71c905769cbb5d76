#include "server/rpc/gate.h"

#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"

namespace poller::rpc {
namespace {

// Refusals that wait at a time, and the largest request that waits with one. What goes beyond is
// answered at once: what a guesser can gain by that is nothing, tokens being random, and what it can
// cost us ends here, because gRPC holds the request of every call that waits.
constexpr std::size_t kMaxDelayed = 64;
constexpr std::size_t kMaxDelayedRequest = 4096;

// Beside the call, which does not wait for it.
Task<void> NoteUseOf(Authenticator& authenticator, TokenId token, Executor storage_pool) {
  auto note = [&authenticator, token] { authenticator.NoteUse(token); };
  co_await Offload(std::move(storage_pool), std::move(note));
}

}  // namespace

absl::Status Draining() {
  return WithReason(
      absl::UnavailableError("the server is not serving now: it starts or stops; call again"),
      "DRAINING");
}

Caller CallerOf(const grpc::ServerContextBase& context, std::size_t request_bytes) {
  const auto& metadata = context.client_metadata();
  std::string authorization;
  if (metadata.count("authorization") == 1) {
    const grpc::string_ref value = metadata.find("authorization")->second;
    authorization.assign(value.data(), value.size());
  }
  return {std::move(authorization), context.peer(), request_bytes};
}

Task<absl::StatusOr<Token>> Gate::Identify(std::string authorization) {
  auto bearer = BearerToken(authorization);
  WipeString(authorization);
  CO_ASSIGN_OR_RETURN(Secret token, std::move(bearer));
  auto authenticate = [this, token] { return authenticator_.Authenticate(token); };
  co_return co_await Offload(storage_pool_, std::move(authenticate));
}

Task<absl::StatusOr<Call>> Gate::Admit(const Access& access, Caller caller,
                                       std::shared_ptr<CallState> state) {
  auto identified = co_await Identify(std::move(caller.authorization));
  if (Reason(identified.status()) == "TOKEN_INVALID") co_await Delay(std::move(caller), state);
  CO_ASSIGN_OR_RETURN(Token token, std::move(identified));
  if (access.method.empty()) {
    // A broken belief of ours, found by a test; for the caller it is closed.
    co_return WithReason(absl::PermissionDeniedError("no role may call this"), "ROLE_TOO_LOW");
  }
  CO_RETURN_IF_ERROR(RequireRole(token.role, access.role, access.method));
  if (!open_) co_return Draining();
  auto place =
      access.stream ? token_calls_.EnterStream(token.id, state) : token_calls_.EnterCall(token.id);
  CO_RETURN_IF_ERROR(place);
  NoteUse(token.id);
  co_return Call(std::move(state), std::move(token), *std::move(place));
}

// A timer and no thread waits. Who hangs up is not waited for, and a stop waits for nobody.
Task<void> Gate::Delay(Caller caller, std::shared_ptr<CallState> state) {
  const absl::Duration wait = wrong_tokens_.Failed(OriginOf(caller.peer), clock_.Monotonic());
  if (wait == absl::ZeroDuration() || caller.request_bytes > kMaxDelayedRequest) co_return;
  const auto wakeup = std::make_shared<Wakeup>();
  {
    absl::MutexLock lock(&mu_);
    if (!open_ || delayed_.size() >= kMaxDelayed) co_return;
    delayed_.insert(wakeup);
  }
  state->OnCancel([wakeup] { wakeup->Notify(); });
  co_await sleeper_.Sleep(wait, wakeup.get());
  state->OnCancel(nullptr);
  absl::MutexLock lock(&mu_);
  delayed_.erase(wakeup);
}

void Gate::Close() {
  absl::MutexLock lock(&mu_);
  open_ = false;
  for (const auto& wakeup : delayed_) wakeup->Notify();
}

void Gate::NoteUse(TokenId token) {
  if (authenticator_.UseIsDue(token)) calls_.Spawn(NoteUseOf(authenticator_, token, storage_pool_));
}

void Gate::Revoked(TokenId token) {
  authenticator_.Forget(token);
  token_calls_.EndStreams(token, TokenRefused());
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
