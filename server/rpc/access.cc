#include "server/rpc/access.h"

#include <array>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/status_conversion.h"

namespace poller::rpc {
namespace {

struct Entry {
  std::string_view method;
  Role role;
};

// Viewers see everything but what orders contain. Operators keep things running. What says where
// data goes, and who may ask, is the administrators': an address, a credential, a token.
constexpr std::array kTable = {
    Entry{"ConnectionService.CreateConnection", Role::kAdmin},
    Entry{"ConnectionService.GetConnection", Role::kViewer},
    Entry{"ConnectionService.ListConnections", Role::kViewer},
    Entry{"ConnectionService.UpdateConnection", Role::kAdmin},
    Entry{"ConnectionService.DeleteConnection", Role::kAdmin},
    Entry{"ConnectionService.PauseConnection", Role::kOperator},
    Entry{"ConnectionService.ResumeConnection", Role::kOperator},
    Entry{"ConnectionService.TestConnection", Role::kOperator},
    Entry{"ConnectionService.PollConnection", Role::kOperator},
    Entry{"ConnectionService.ResetCircuit", Role::kOperator},
    Entry{"ConnectionService.RotateWebhookSecret", Role::kAdmin},
    Entry{"SyncLogService.ListSyncLogs", Role::kViewer},
    Entry{"SyncLogService.StreamSyncEvents", Role::kViewer},  // include_payload: operator
    Entry{"RetryQueueService.ListRetries", Role::kViewer},
    Entry{"RetryQueueService.GetRetry", Role::kOperator},  // shows the payload
    Entry{"RetryQueueService.RetryDelivery", Role::kOperator},
    Entry{"RetryQueueService.RetryDeliveries", Role::kOperator},
    Entry{"RetryQueueService.DiscardDelivery", Role::kOperator},
    Entry{"OrderService.ListOrders", Role::kViewer},
    Entry{"OrderService.GetOrder", Role::kViewer},
    Entry{"OrderService.ResendOrders", Role::kOperator},
    Entry{"JobService.StartBackfill", Role::kOperator},
    Entry{"JobService.StartReconcile", Role::kOperator},
    Entry{"JobService.GetJob", Role::kViewer},
    Entry{"JobService.ListJobs", Role::kViewer},
    Entry{"JobService.CancelJob", Role::kOperator},
    Entry{"JobService.WatchJob", Role::kViewer},
    Entry{"AdminService.GetServerStatus", Role::kViewer},
    Entry{"AdminService.BackupDatabase", Role::kAdmin},
    Entry{"AdminService.CreateToken", Role::kAdmin},
    Entry{"AdminService.ListTokens", Role::kAdmin},
    Entry{"AdminService.RevokeToken", Role::kAdmin},
};

}  // namespace

Access AccessTo(const google::protobuf::MethodDescriptor& method) {
  const std::string name = method.service()->name() + "." + method.name();
  for (const Entry& entry : kTable) {
    if (entry.method == name) return {name, entry.role, method.server_streaming()};
  }
  return {};
}

Access AccessOfRequest(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int s = 0; s < file.service_count(); ++s) {
    for (int m = 0; m < file.service(s)->method_count(); ++m) {
      const auto& method = *file.service(s)->method(m);
      if (method.input_type() == &request) return AccessTo(method);
    }
  }
  return {};
}

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kAdmin:
      return "admin";
  }
  return "unknown";
}

absl::Status RequireRole(Role has, Role needs, std::string_view what) {
  if (has >= needs) return absl::OkStatus();
  const std::string message = std::string(what) + " needs the role " +
                              std::string(RoleName(needs)) + "; this token has the role " +
                              std::string(RoleName(has));
  absl::Status status =
      WithReason(MakeStatus(absl::StatusCode::kPermissionDenied, message), "ROLE_TOO_LOW");
  status = WithMetadata(std::move(status), "role", RoleName(has));
  return WithMetadata(std::move(status), "required_role", RoleName(needs));
}

}  // namespace poller::rpc
