#include "server/services/admin_service.h"

#include <utility>

#include "core/base/status.h"
#include "server/rpc/convert_common.h"
#include "server/rpc/unary.h"

namespace poller {

namespace v1 = odoopoller::v1;

grpc::ServerUnaryReactor* AdminServiceImpl::GetServerStatus(
    grpc::CallbackServerContext* context, const v1::GetServerStatusRequest* request,
    v1::GetServerStatusResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &AdminServiceImpl::Status);
}

Task<absl::StatusOr<v1::GetServerStatusResponse>> AdminServiceImpl::Status(
    rpc::Call, v1::GetServerStatusRequest) {
  auto count = [this] { return context_.status.Totals(); };
  CO_ASSIGN_OR_RETURN(const StorageTotals totals, co_await Blocking(context_, std::move(count)));
  auto range_of = [this] { return context_.events.Range(); };
  CO_ASSIGN_OR_RETURN(const EventRange range, co_await Blocking(context_, std::move(range_of)));
  const Instant now = context_.clock.Read();
  v1::GetServerStatusResponse response;
  response.set_version(context_.version);
  *response.mutable_start_time() = rpc::ToProto(context_.started.wall);
  *response.mutable_uptime() = rpc::ToProto(now.mono - context_.started.mono);
  *response.mutable_time() = rpc::ToProto(now.wall);
  response.set_connection_count(totals.connections);
  response.set_unhealthy_count(totals.unhealthy);
  response.set_suspended_count(totals.suspended);
  response.set_paused_count(totals.paused);
  response.set_waiting_count(totals.waiting);
  response.set_dead_count(totals.dead);
  rpc::SetTime(response, &v1::GetServerStatusResponse::mutable_oldest_waiting_time,
               totals.oldest_waiting);
  response.mutable_event_log()->set_log_id(range.log_id);
  response.mutable_event_log()->set_oldest_sequence(range.oldest.value());
  response.mutable_event_log()->set_newest_sequence(range.newest.value());
  response.set_database_bytes(totals.database_bytes);
  co_return response;
}

}  // namespace poller
