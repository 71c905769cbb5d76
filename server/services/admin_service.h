// odoopoller.v1.AdminService.
#pragma once

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class AdminServiceImpl final : public odoopoller::v1::AdminService::CallbackService {
 public:
  explicit AdminServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* GetServerStatus(
      grpc::CallbackServerContext* context, const odoopoller::v1::GetServerStatusRequest* request,
      odoopoller::v1::GetServerStatusResponse* response) override;
  grpc::ServerUnaryReactor* BackupDatabase(
      grpc::CallbackServerContext* context, const odoopoller::v1::BackupDatabaseRequest* request,
      odoopoller::v1::BackupDatabaseResponse* response) override;
  grpc::ServerUnaryReactor* CreateToken(grpc::CallbackServerContext* context,
                                        const odoopoller::v1::CreateTokenRequest* request,
                                        odoopoller::v1::CreateTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext* context,
                                       const odoopoller::v1::ListTokensRequest* request,
                                       odoopoller::v1::ListTokensResponse* response) override;
  grpc::ServerUnaryReactor* RevokeToken(grpc::CallbackServerContext* context,
                                        const odoopoller::v1::RevokeTokenRequest* request,
                                        odoopoller::v1::RevokeTokenResponse* response) override;

 private:
  Task<absl::StatusOr<odoopoller::v1::GetServerStatusResponse>> Status(
      rpc::Call call, odoopoller::v1::GetServerStatusRequest request);
  Task<absl::StatusOr<odoopoller::v1::BackupDatabaseResponse>> Backup(
      rpc::Call call, odoopoller::v1::BackupDatabaseRequest request);
  Task<absl::StatusOr<odoopoller::v1::CreateTokenResponse>> Create(
      rpc::Call call, odoopoller::v1::CreateTokenRequest request);
  Task<absl::StatusOr<odoopoller::v1::ListTokensResponse>> List(
      rpc::Call call, odoopoller::v1::ListTokensRequest request);
  Task<absl::StatusOr<odoopoller::v1::RevokeTokenResponse>> Revoke(
      rpc::Call call, odoopoller::v1::RevokeTokenRequest request);

  const ServiceContext& context_;
};

}  // namespace poller
