#include "server/services/sync_log_service.h"

#include <utility>

#include "core/base/status.h"
#include "server/rpc/convert_sync_log.h"
#include "server/rpc/page_token.h"
#include "server/rpc/unary.h"

namespace poller {

namespace v1 = odoopoller::v1;

grpc::ServerUnaryReactor* SyncLogServiceImpl::ListSyncLogs(grpc::CallbackServerContext* context,
                                                           const v1::ListSyncLogsRequest* request,
                                                           v1::ListSyncLogsResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &SyncLogServiceImpl::List);
}

grpc::ServerWriteReactor<v1::StreamSyncEventsResponse>* SyncLogServiceImpl::StreamSyncEvents(
    grpc::CallbackServerContext* context, const v1::StreamSyncEventsRequest* request) {
  return rpc::ServeStream(context_.gate, *context, *request, this, &SyncLogServiceImpl::Stream);
}

Task<absl::StatusOr<v1::ListSyncLogsResponse>> SyncLogServiceImpl::List(
    rpc::Call, v1::ListSyncLogsRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  CO_ASSIGN_OR_RETURN(const auto connection, co_await FindFilter(context_, request.has_connection(),
                                                                 request.connection()));
  auto list = [this, connection, page] {
    return context_.sync_logs.List(connection, SyncLogId(page.after), page.size + 1);
  };
  CO_ASSIGN_OR_RETURN(const auto logs, co_await Blocking(context_, std::move(list)));
  v1::ListSyncLogsResponse response;
  rpc::FillPage(request, page, logs, *response.mutable_sync_logs(), response,
                [](const SyncLog& log) { return std::pair(log.id.value(), rpc::ToProto(log)); });
  co_return response;
}

Task<absl::Status> SyncLogServiceImpl::Stream(rpc::Call call, std::string authorization,
                                              v1::StreamSyncEventsRequest request,
                                              std::shared_ptr<EventStreamReactor> stream) {
  EventStream events(context_, std::move(call), std::move(authorization), std::move(request),
                     std::move(stream));
  co_return co_await events.Run();
}

}  // namespace poller
