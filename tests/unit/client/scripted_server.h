// A gRPC server whose answers the test writes, on a free port of loopback.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"
#include "odoopoller/v1/job_service.grpc.pb.h"
#include "odoopoller/v1/order_service.grpc.pb.h"
#include "odoopoller/v1/retry_queue_service.grpc.pb.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"

namespace poller::client {

namespace api = ::odoopoller::v1;

// What an RPC answers; UNIMPLEMENTED until the test sets it. Called on threads of gRPC.
template <class Request, class Response>
struct Script {
  std::function<grpc::Status(const Request&, Response&)> answer;
  std::vector<Request> requests;  // as they came
  std::string authorization;      // of the last one

  grpc::Status Run(grpc::ServerContext* context, const Request& request, Response* response) {
    requests.push_back(request);
    const auto found = context->client_metadata().find("authorization");
    authorization = found == context->client_metadata().end()
                        ? ""
                        : std::string(found->second.data(), found->second.size());
    if (!answer) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    return answer(request, *response);
  }
};

#define SCRIPTED(name)                                                               \
  Script<api::name##Request, api::name##Response> script_##name;                     \
  grpc::Status name(grpc::ServerContext* context, const api::name##Request* request, \
                    api::name##Response* response) override {                        \
    return script_##name.Run(context, *request, response);                           \
  }

struct ScriptedConnections : api::ConnectionService::Service {
  SCRIPTED(CreateConnection)
  SCRIPTED(GetConnection)
  SCRIPTED(ListConnections)
  SCRIPTED(UpdateConnection)
  SCRIPTED(DeleteConnection)
  SCRIPTED(PauseConnection)
  SCRIPTED(ResumeConnection)
  SCRIPTED(TestConnection)
  SCRIPTED(PollConnection)
  SCRIPTED(ResetCircuit)
  SCRIPTED(RotateWebhookSecret)
};
struct ScriptedRetries : api::RetryQueueService::Service {
  SCRIPTED(ListRetries)
  SCRIPTED(GetRetry)
  SCRIPTED(RetryDelivery)
  SCRIPTED(RetryDeliveries)
  SCRIPTED(DiscardDelivery)
};
struct ScriptedOrders : api::OrderService::Service {
  SCRIPTED(ListOrders)
  SCRIPTED(GetOrder)
  SCRIPTED(ResendOrders)
};
struct ScriptedAdmin : api::AdminService::Service {
  SCRIPTED(GetServerStatus)
  SCRIPTED(BackupDatabase)
  SCRIPTED(CreateToken)
  SCRIPTED(ListTokens)
  SCRIPTED(RevokeToken)
};
struct ScriptedSyncLogs : api::SyncLogService::Service {
  SCRIPTED(ListSyncLogs)
  // One entry a call of the stream, in order; each writes what it wants and says how it ends. After
  // the last: UNIMPLEMENTED.
  using Stream = std::function<grpc::Status(grpc::ServerContext&,
                                            grpc::ServerWriter<api::StreamSyncEventsResponse>&)>;
  std::vector<Stream> streams;
  std::vector<api::StreamSyncEventsRequest> stream_requests;

  grpc::Status StreamSyncEvents(
      grpc::ServerContext* context, const api::StreamSyncEventsRequest* request,
      grpc::ServerWriter<api::StreamSyncEventsResponse>* writer) override {
    stream_requests.push_back(*request);
    if (stream_requests.size() > streams.size()) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    return streams[stream_requests.size() - 1](*context, *writer);
  }
};
struct ScriptedJobs : api::JobService::Service {
  SCRIPTED(StartBackfill)
  SCRIPTED(StartReconcile)
  SCRIPTED(GetJob)
  SCRIPTED(ListJobs)
  SCRIPTED(CancelJob)
  // As of ScriptedSyncLogs.
  using Stream =
      std::function<grpc::Status(grpc::ServerContext&, grpc::ServerWriter<api::WatchJobResponse>&)>;
  std::vector<Stream> streams;
  std::vector<api::WatchJobRequest> stream_requests;

  grpc::Status WatchJob(grpc::ServerContext* context, const api::WatchJobRequest* request,
                        grpc::ServerWriter<api::WatchJobResponse>* writer) override {
    stream_requests.push_back(*request);
    if (stream_requests.size() > streams.size()) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    return streams[stream_requests.size() - 1](*context, *writer);
  }
};
#undef SCRIPTED

class ScriptedServer {
 public:
  ScriptedServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &connections, &retries, &orders, &jobs, &admin, &sync_logs}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
  }
  ~ScriptedServer() { server_->Shutdown(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  ScriptedConnections connections;
  ScriptedRetries retries;
  ScriptedOrders orders;
  ScriptedJobs jobs;
  ScriptedAdmin admin;
  ScriptedSyncLogs sync_logs;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// An error as pollerd makes it: field and description of each violation may follow.
inline grpc::Status ServerError(
    grpc::StatusCode code, const std::string& message, const std::string& reason,
    const std::vector<std::pair<std::string, std::string>>& violations = {}) {
  google::rpc::Status carried;
  carried.set_code(code);
  carried.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_domain("odoopoller");
  info.set_reason(reason);
  carried.add_details()->PackFrom(info);
  if (!violations.empty()) {
    google::rpc::BadRequest bad;
    for (const auto& [field, description] : violations) {
      auto* violation = bad.add_field_violations();
      violation->set_field(field);
      violation->set_description(description);
    }
    carried.add_details()->PackFrom(bad);
  }
  return {code, message, carried.SerializeAsString()};
}

}  // namespace poller::client
