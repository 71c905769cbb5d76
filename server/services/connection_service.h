// odoopoller.v1.ConnectionService.
#pragma once

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class ConnectionServiceImpl final : public odoopoller::v1::ConnectionService::CallbackService {
 public:
  explicit ConnectionServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* CreateConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::CreateConnectionRequest* request,
      odoopoller::v1::CreateConnectionResponse* response) override;
  grpc::ServerUnaryReactor* GetConnection(grpc::CallbackServerContext* context,
                                          const odoopoller::v1::GetConnectionRequest* request,
                                          odoopoller::v1::GetConnectionResponse* response) override;
  grpc::ServerUnaryReactor* ListConnections(
      grpc::CallbackServerContext* context, const odoopoller::v1::ListConnectionsRequest* request,
      odoopoller::v1::ListConnectionsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::UpdateConnectionRequest* request,
      odoopoller::v1::UpdateConnectionResponse* response) override;
  grpc::ServerUnaryReactor* DeleteConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::DeleteConnectionRequest* request,
      odoopoller::v1::DeleteConnectionResponse* response) override;
  grpc::ServerUnaryReactor* PauseConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::PauseConnectionRequest* request,
      odoopoller::v1::PauseConnectionResponse* response) override;
  grpc::ServerUnaryReactor* ResumeConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::ResumeConnectionRequest* request,
      odoopoller::v1::ResumeConnectionResponse* response) override;
  grpc::ServerUnaryReactor* TestConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::TestConnectionRequest* request,
      odoopoller::v1::TestConnectionResponse* response) override;
  grpc::ServerUnaryReactor* PollConnection(
      grpc::CallbackServerContext* context, const odoopoller::v1::PollConnectionRequest* request,
      odoopoller::v1::PollConnectionResponse* response) override;
  grpc::ServerUnaryReactor* ResetCircuit(grpc::CallbackServerContext* context,
                                         const odoopoller::v1::ResetCircuitRequest* request,
                                         odoopoller::v1::ResetCircuitResponse* response) override;
  grpc::ServerUnaryReactor* RotateWebhookSecret(
      grpc::CallbackServerContext* context,
      const odoopoller::v1::RotateWebhookSecretRequest* request,
      odoopoller::v1::RotateWebhookSecretResponse* response) override;

 private:
  Task<absl::StatusOr<odoopoller::v1::CreateConnectionResponse>> Create(
      rpc::Call call, odoopoller::v1::CreateConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::GetConnectionResponse>> Get(
      rpc::Call call, odoopoller::v1::GetConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::ListConnectionsResponse>> List(
      rpc::Call call, odoopoller::v1::ListConnectionsRequest request);
  Task<absl::StatusOr<odoopoller::v1::UpdateConnectionResponse>> Update(
      rpc::Call call, odoopoller::v1::UpdateConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::DeleteConnectionResponse>> Delete(
      rpc::Call call, odoopoller::v1::DeleteConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::PauseConnectionResponse>> Pause(
      rpc::Call call, odoopoller::v1::PauseConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::ResumeConnectionResponse>> Resume(
      rpc::Call call, odoopoller::v1::ResumeConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::TestConnectionResponse>> Test(
      rpc::Call call, odoopoller::v1::TestConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::PollConnectionResponse>> Poll(
      rpc::Call call, odoopoller::v1::PollConnectionRequest request);
  Task<absl::StatusOr<odoopoller::v1::ResetCircuitResponse>> Reset(
      rpc::Call call, odoopoller::v1::ResetCircuitRequest request);
  Task<absl::StatusOr<odoopoller::v1::RotateWebhookSecretResponse>> Rotate(
      rpc::Call call, odoopoller::v1::RotateWebhookSecretRequest request);

  const ServiceContext& context_;
};

}  // namespace poller
