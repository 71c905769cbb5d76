// odoopoller.v1.RetryQueueService.
#pragma once

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "odoopoller/v1/retry_queue_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class RetryQueueServiceImpl final : public odoopoller::v1::RetryQueueService::CallbackService {
 public:
  explicit RetryQueueServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* ListRetries(grpc::CallbackServerContext* context,
                                        const odoopoller::v1::ListRetriesRequest* request,
                                        odoopoller::v1::ListRetriesResponse* response) override;
  grpc::ServerUnaryReactor* GetRetry(grpc::CallbackServerContext* context,
                                     const odoopoller::v1::GetRetryRequest* request,
                                     odoopoller::v1::GetRetryResponse* response) override;
  grpc::ServerUnaryReactor* RetryDelivery(grpc::CallbackServerContext* context,
                                          const odoopoller::v1::RetryDeliveryRequest* request,
                                          odoopoller::v1::RetryDeliveryResponse* response) override;
  grpc::ServerUnaryReactor* RetryDeliveries(
      grpc::CallbackServerContext* context, const odoopoller::v1::RetryDeliveriesRequest* request,
      odoopoller::v1::RetryDeliveriesResponse* response) override;
  grpc::ServerUnaryReactor* DiscardDelivery(
      grpc::CallbackServerContext* context, const odoopoller::v1::DiscardDeliveryRequest* request,
      odoopoller::v1::DiscardDeliveryResponse* response) override;

 private:
  Task<absl::StatusOr<odoopoller::v1::ListRetriesResponse>> List(
      rpc::Call call, odoopoller::v1::ListRetriesRequest request);
  Task<absl::StatusOr<odoopoller::v1::GetRetryResponse>> Get(
      rpc::Call call, odoopoller::v1::GetRetryRequest request);
  Task<absl::StatusOr<odoopoller::v1::RetryDeliveryResponse>> Retry(
      rpc::Call call, odoopoller::v1::RetryDeliveryRequest request);
  Task<absl::StatusOr<odoopoller::v1::RetryDeliveriesResponse>> RetryMany(
      rpc::Call call, odoopoller::v1::RetryDeliveriesRequest request);
  Task<absl::StatusOr<odoopoller::v1::DiscardDeliveryResponse>> Discard(
      rpc::Call call, odoopoller::v1::DiscardDeliveryRequest request);

  const ServiceContext& context_;
};

}  // namespace poller
