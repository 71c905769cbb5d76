#include "server/services/order_service.h"

#include <utility>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/base/text.h"
#include "server/rpc/convert_delivery.h"
#include "server/rpc/page_token.h"
#include "server/rpc/status_conversion.h"
#include "server/rpc/unary.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

constexpr int kMaxOrders = 1000;
constexpr std::size_t kMaxName = 500;

absl::Status AsOrderError(const absl::Status& status, const v1::GetOrderRequest& request) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  const std::string order = request.order_case() == v1::GetOrderRequest::kName
                                ? SafeText(request.name(), kMaxName)
                                : std::to_string(request.order_id());
  const std::string message = "the connection has no order " + order;
  return WithMetadata(
      WithReason(MakeStatus(absl::StatusCode::kNotFound, message), "ORDER_NOT_FOUND"), "order",
      order);
}

absl::Status CheckSelection(const v1::OrderSelection& orders) {
  std::vector<FieldViolation> violations;
  const int count = orders.ids_size() + orders.names_size();
  if (count < 1 || count > kMaxOrders)
    violations.push_back({"orders", "must name 1 to 1000 orders"});
  for (const std::int64_t id : orders.ids()) {
    if (id > 0) continue;
    violations.push_back({"orders.ids", "must be positive numbers"});
    break;
  }
  for (const std::string& name : orders.names()) {
    if (!name.empty() && name.size() <= kMaxName) continue;
    violations.push_back({"orders.names", "must be names of 1 to 500 bytes"});
    break;
  }
  return violations.empty() ? absl::OkStatus() : InvalidFields(violations);
}

absl::StatusOr<ResendRequest> SelectionOf(const v1::ResendOrdersRequest& request) {
  ResendRequest resend;
  resend.dry_run = request.validate_only();
  switch (request.selection_case()) {
    case v1::ResendOrdersRequest::kLastN:
      if (request.last_n() < 1 || request.last_n() > kMaxOrders)
        return InvalidFields({{"last_n", "must be from 1 to 1000"}});
      resend.last = request.last_n();
      return resend;
    case v1::ResendOrdersRequest::kOrders:
      RETURN_IF_ERROR(CheckSelection(request.orders()));
      for (const std::int64_t id : request.orders().ids()) resend.ids.emplace_back(id);
      resend.names.assign(request.orders().names().begin(), request.orders().names().end());
      return resend;
    default:
      return InvalidFields({{"selection", "must be last_n or orders"}});
  }
}

v1::ResendOrdersResponse ToProto(const ResendResult& result) {
  v1::ResendOrdersResponse response;
  for (const std::string& name : result.found) response.add_found(name);
  for (const std::string& name : result.missing) response.add_missing(name);
  response.set_recorded(result.recorded);
  response.set_requeued(result.requeued);
  response.set_dead(result.dead);
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* OrderServiceImpl::ListOrders(grpc::CallbackServerContext* context,
                                                       const v1::ListOrdersRequest* request,
                                                       v1::ListOrdersResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &OrderServiceImpl::List);
}

grpc::ServerUnaryReactor* OrderServiceImpl::GetOrder(grpc::CallbackServerContext* context,
                                                     const v1::GetOrderRequest* request,
                                                     v1::GetOrderResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &OrderServiceImpl::Get);
}

grpc::ServerUnaryReactor* OrderServiceImpl::ResendOrders(grpc::CallbackServerContext* context,
                                                         const v1::ResendOrdersRequest* request,
                                                         v1::ResendOrdersResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &OrderServiceImpl::Resend);
}

Task<absl::StatusOr<v1::ListOrdersResponse>> OrderServiceImpl::List(rpc::Call,
                                                                    v1::ListOrdersRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  CO_ASSIGN_OR_RETURN(const auto connection, co_await FindFilter(context_, request.has_connection(),
                                                                 request.connection()));
  auto list = [this, connection, prefix = request.name_prefix(), page] {
    return context_.orders.ListOrders(connection, prefix, DeliveryId(page.after), page.size + 1);
  };
  CO_ASSIGN_OR_RETURN(const auto orders, co_await Blocking(context_, std::move(list)));
  v1::ListOrdersResponse response;
  rpc::FillPage(request, page, orders, *response.mutable_orders(), response,
                [](const OrderSummary& order) {
                  return std::pair(order.delivery.id.value(), rpc::ToProto(order));
                });
  co_return response;
}

Task<absl::StatusOr<v1::GetOrderResponse>> OrderServiceImpl::Get(rpc::Call,
                                                                 v1::GetOrderRequest request) {
  const bool by_name =
      request.order_case() == v1::GetOrderRequest::kName && !request.name().empty();
  const bool by_id =
      request.order_case() == v1::GetOrderRequest::kOrderId && request.order_id() > 0;
  if (!by_name && !by_id) co_return InvalidFields({{"order", "must be an order_id or a name"}});
  CO_ASSIGN_OR_RETURN(const auto found, co_await FindConnection(context_, request.connection()));
  auto get = [this, connection = found.connection.id, request] {
    return context_.orders.GetOrder(connection, OrderId(request.order_id()), request.name());
  };
  const auto details = co_await Blocking(context_, std::move(get));
  if (!details.ok()) co_return AsOrderError(details.status(), request);
  v1::GetOrderResponse response;
  *response.mutable_order() = rpc::ToProto(details->summary);
  for (const DeliveryDetails& revision : details->revisions)
    *response.add_revisions() = rpc::RevisionToProto(revision);
  co_return response;
}

Task<absl::StatusOr<v1::ResendOrdersResponse>> OrderServiceImpl::Resend(
    rpc::Call call, v1::ResendOrdersRequest request) {
  CO_ASSIGN_OR_RETURN(auto resend, SelectionOf(request));
  CO_ASSIGN_OR_RETURN(const auto found, co_await FindConnection(context_, request.connection()));
  const ConnectionId id = found.connection.id;
  const auto result = co_await context_.scheduler.Resend(id, std::move(resend),
                                                         call.ActorFor(request), call.Wanted());
  // Also of a call whose caller has gone: what was committed until then.
  if (!request.validate_only()) context_.dispatcher.Hint(id);
  if (!result.ok()) co_return AsOdooError(result.status(), id);
  co_return ToProto(*result);
}

}  // namespace poller
