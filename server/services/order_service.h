// odoopoller.v1.OrderService.
#pragma once

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "odoopoller/v1/order_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class OrderServiceImpl final : public odoopoller::v1::OrderService::CallbackService {
 public:
  explicit OrderServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* ListOrders(grpc::CallbackServerContext* context,
                                       const odoopoller::v1::ListOrdersRequest* request,
                                       odoopoller::v1::ListOrdersResponse* response) override;
  grpc::ServerUnaryReactor* GetOrder(grpc::CallbackServerContext* context,
                                     const odoopoller::v1::GetOrderRequest* request,
                                     odoopoller::v1::GetOrderResponse* response) override;
  grpc::ServerUnaryReactor* ResendOrders(grpc::CallbackServerContext* context,
                                         const odoopoller::v1::ResendOrdersRequest* request,
                                         odoopoller::v1::ResendOrdersResponse* response) override;

 private:
  Task<absl::StatusOr<odoopoller::v1::ListOrdersResponse>> List(
      rpc::Call call, odoopoller::v1::ListOrdersRequest request);
  Task<absl::StatusOr<odoopoller::v1::GetOrderResponse>> Get(
      rpc::Call call, odoopoller::v1::GetOrderRequest request);
  Task<absl::StatusOr<odoopoller::v1::ResendOrdersResponse>> Resend(
      rpc::Call call, odoopoller::v1::ResendOrdersRequest request);

  const ServiceContext& context_;
};

}  // namespace poller
