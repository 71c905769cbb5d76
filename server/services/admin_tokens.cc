// The tokens of AdminService.
#include <utility>

#include "core/base/status.h"
#include "server/rpc/convert_token.h"
#include "server/rpc/page_token.h"
#include "server/rpc/unary.h"
#include "server/services/admin_service.h"

namespace poller {

namespace v1 = odoopoller::v1;

grpc::ServerUnaryReactor* AdminServiceImpl::CreateToken(grpc::CallbackServerContext* context,
                                                        const v1::CreateTokenRequest* request,
                                                        v1::CreateTokenResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &AdminServiceImpl::Create);
}

grpc::ServerUnaryReactor* AdminServiceImpl::ListTokens(grpc::CallbackServerContext* context,
                                                       const v1::ListTokensRequest* request,
                                                       v1::ListTokensResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &AdminServiceImpl::List);
}

grpc::ServerUnaryReactor* AdminServiceImpl::RevokeToken(grpc::CallbackServerContext* context,
                                                        const v1::RevokeTokenRequest* request,
                                                        v1::RevokeTokenResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &AdminServiceImpl::Revoke);
}

Task<absl::StatusOr<v1::CreateTokenResponse>> AdminServiceImpl::Create(
    rpc::Call call, v1::CreateTokenRequest request) {
  CO_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  CO_RETURN_IF_ERROR(rpc::CheckNewToken(request));
  const Secret secret = rpc::MakeToken(context_.random);
  auto create = [this, secret, name = request.name(), role = rpc::RoleOf(request),
                 actor = call.ActorFor(request)] {
    return context_.tokens.Create(name, role, secret, actor, context_.clock.Now());
  };
  CO_ASSIGN_OR_RETURN(const CreatedToken created, co_await Blocking(context_, std::move(create)));
  v1::CreateTokenResponse response;
  *response.mutable_token() = rpc::ToProto(created.token);
  if (!created.repeated) response.set_secret(secret.Reveal());
  co_return response;
}

Task<absl::StatusOr<v1::ListTokensResponse>> AdminServiceImpl::List(rpc::Call,
                                                                    v1::ListTokensRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  auto list = [this, page] { return context_.tokens.List(TokenId(page.after), page.size + 1); };
  CO_ASSIGN_OR_RETURN(const auto tokens, co_await Blocking(context_, std::move(list)));
  v1::ListTokensResponse response;
  rpc::FillPage(
      request, page, tokens, *response.mutable_tokens(), response,
      [](const Token& token) { return std::pair(token.id.value(), rpc::ToProto(token)); });
  co_return response;
}

Task<absl::StatusOr<v1::RevokeTokenResponse>> AdminServiceImpl::Revoke(
    rpc::Call call, v1::RevokeTokenRequest request) {
  CO_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  if (request.token_id() <= 0) co_return InvalidFields({{"token_id", "must be the id of a token"}});
  const TokenId id(request.token_id());
  auto revoke = [this, id, actor = call.ActorFor(request)] {
    return context_.tokens.Revoke(id, actor, context_.clock.Now());
  };
  CO_ASSIGN_OR_RETURN(const Token token, co_await Blocking(context_, std::move(revoke)));
  context_.gate.Revoked(id);
  v1::RevokeTokenResponse response;
  *response.mutable_token() = rpc::ToProto(token);
  co_return response;
}

}  // namespace poller
