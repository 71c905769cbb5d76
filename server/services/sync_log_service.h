// odoopoller.v1.SyncLogService.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/services/event_stream.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class SyncLogServiceImpl final : public odoopoller::v1::SyncLogService::CallbackService {
 public:
  explicit SyncLogServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* ListSyncLogs(grpc::CallbackServerContext* context,
                                         const odoopoller::v1::ListSyncLogsRequest* request,
                                         odoopoller::v1::ListSyncLogsResponse* response) override;
  grpc::ServerWriteReactor<odoopoller::v1::StreamSyncEventsResponse>* StreamSyncEvents(
      grpc::CallbackServerContext* context,
      const odoopoller::v1::StreamSyncEventsRequest* request) override;

 private:
  Task<absl::StatusOr<odoopoller::v1::ListSyncLogsResponse>> List(
      rpc::Call call, odoopoller::v1::ListSyncLogsRequest request);
  Task<absl::Status> Stream(rpc::Call call, std::string authorization,
                            odoopoller::v1::StreamSyncEventsRequest request,
                            std::shared_ptr<EventStreamReactor> stream);

  const ServiceContext& context_;
};

}  // namespace poller
