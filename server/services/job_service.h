// odoopoller.v1.JobService.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/model/job.h"
#include "odoopoller/v1/job_service.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/rpc/stream.h"
#include "server/services/service_context.h"

namespace poller {

// Thread-safe. `context` outlives it. Each RPC has an override, which gRPC calls, and a handler,
// which does the work once the call is admitted.
class JobServiceImpl final : public odoopoller::v1::JobService::CallbackService {
 public:
  explicit JobServiceImpl(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* StartBackfill(grpc::CallbackServerContext* context,
                                          const odoopoller::v1::StartBackfillRequest* request,
                                          odoopoller::v1::StartBackfillResponse* response) override;
  grpc::ServerUnaryReactor* StartReconcile(
      grpc::CallbackServerContext* context, const odoopoller::v1::StartReconcileRequest* request,
      odoopoller::v1::StartReconcileResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const odoopoller::v1::GetJobRequest* request,
                                   odoopoller::v1::GetJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const odoopoller::v1::ListJobsRequest* request,
                                     odoopoller::v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const odoopoller::v1::CancelJobRequest* request,
                                      odoopoller::v1::CancelJobResponse* response) override;
  grpc::ServerWriteReactor<odoopoller::v1::WatchJobResponse>* WatchJob(
      grpc::CallbackServerContext* context,
      const odoopoller::v1::WatchJobRequest* request) override;

 private:
  using WatchReactor =
      rpc::StreamReactor<odoopoller::v1::WatchJobRequest, odoopoller::v1::WatchJobResponse>;

  Task<absl::StatusOr<odoopoller::v1::StartBackfillResponse>> Backfill(
      rpc::Call call, odoopoller::v1::StartBackfillRequest request);
  Task<absl::StatusOr<odoopoller::v1::StartReconcileResponse>> Reconcile(
      rpc::Call call, odoopoller::v1::StartReconcileRequest request);
  Task<absl::StatusOr<odoopoller::v1::GetJobResponse>> Get(rpc::Call call,
                                                           odoopoller::v1::GetJobRequest request);
  Task<absl::StatusOr<odoopoller::v1::ListJobsResponse>> List(
      rpc::Call call, odoopoller::v1::ListJobsRequest request);
  Task<absl::StatusOr<odoopoller::v1::CancelJobResponse>> Cancel(
      rpc::Call call, odoopoller::v1::CancelJobRequest request);
  Task<absl::Status> Watch(rpc::Call call, std::string authorization,
                           odoopoller::v1::WatchJobRequest request,
                           std::shared_ptr<WatchReactor> stream);

  template <class Request, class Response>
  Task<absl::StatusOr<Response>> Start(rpc::Call call, Request request);
  Task<absl::StatusOr<Job>> Find(JobId id);

  const ServiceContext& context_;
};

}  // namespace poller
