#include "server/services/job_service.h"

#include <utility>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/convert_job.h"
#include "server/rpc/page_token.h"
#include "server/rpc/status_conversion.h"
#include "server/rpc/unary.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

constexpr absl::Duration kLook = absl::Milliseconds(500);  // between two looks at a watched job

absl::Status CheckJob(std::int64_t id) {
  return id > 0 ? absl::OkStatus() : InvalidFields({{"job_id", "must be the id of a job"}});
}

absl::Status AsJobError(const absl::Status& status, JobId id) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  const std::string number = std::to_string(id.value());
  const std::string message = "there is no job " + number + ", or it is no longer kept";
  return WithMetadata(WithReason(MakeStatus(absl::StatusCode::kNotFound, message), "JOB_NOT_FOUND"),
                      "job", number);
}

// What a watcher would see.
bool Moved(const Job& before, const Job& now) {
  return before.state != now.state || before.updated_at != now.updated_at ||
         before.progress.listed != now.progress.listed ||
         before.progress.waits_for != now.progress.waits_for;
}

}  // namespace

grpc::ServerUnaryReactor* JobServiceImpl::StartBackfill(grpc::CallbackServerContext* context,
                                                        const v1::StartBackfillRequest* request,
                                                        v1::StartBackfillResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &JobServiceImpl::Backfill);
}

grpc::ServerUnaryReactor* JobServiceImpl::StartReconcile(grpc::CallbackServerContext* context,
                                                         const v1::StartReconcileRequest* request,
                                                         v1::StartReconcileResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &JobServiceImpl::Reconcile);
}

grpc::ServerUnaryReactor* JobServiceImpl::GetJob(grpc::CallbackServerContext* context,
                                                 const v1::GetJobRequest* request,
                                                 v1::GetJobResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this, &JobServiceImpl::Get);
}

grpc::ServerUnaryReactor* JobServiceImpl::ListJobs(grpc::CallbackServerContext* context,
                                                   const v1::ListJobsRequest* request,
                                                   v1::ListJobsResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this, &JobServiceImpl::List);
}

grpc::ServerUnaryReactor* JobServiceImpl::CancelJob(grpc::CallbackServerContext* context,
                                                    const v1::CancelJobRequest* request,
                                                    v1::CancelJobResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &JobServiceImpl::Cancel);
}

grpc::ServerWriteReactor<v1::WatchJobResponse>* JobServiceImpl::WatchJob(
    grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) {
  return rpc::ServeStream(context_.gate, *context, *request, this, &JobServiceImpl::Watch);
}

template <class Request, class Response>
Task<absl::StatusOr<Response>> JobServiceImpl::Start(rpc::Call call, Request request) {
  CO_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  CO_ASSIGN_OR_RETURN(JobSpec spec, rpc::SpecOf(request));
  CO_ASSIGN_OR_RETURN(const auto found, co_await FindConnection(context_, request.connection()));
  spec.connection = found.connection.id;
  Response response;
  if (request.validate_only()) {
    const auto count = co_await context_.scheduler.CountOrders(spec, call.Wanted());
    if (!count.ok()) co_return AsOdooError(count.status(), spec.connection);
    response.set_order_count(*count);
    co_return response;
  }
  auto create = [this, spec, actor = call.ActorFor(request)] {
    return context_.jobs.Create(spec, actor, context_.clock.Now());
  };
  const auto job = co_await Blocking(context_, std::move(create));
  if (!job.ok()) co_return AsConnectionError(job.status(), found.connection.settings.name);
  context_.scheduler.JobsChanged(spec.connection);
  *response.mutable_job() = rpc::ToProto(*job);
  co_return response;
}

Task<absl::StatusOr<v1::StartBackfillResponse>> JobServiceImpl::Backfill(
    rpc::Call call, v1::StartBackfillRequest request) {
  return Start<v1::StartBackfillRequest, v1::StartBackfillResponse>(std::move(call),
                                                                    std::move(request));
}

Task<absl::StatusOr<v1::StartReconcileResponse>> JobServiceImpl::Reconcile(
    rpc::Call call, v1::StartReconcileRequest request) {
  return Start<v1::StartReconcileRequest, v1::StartReconcileResponse>(std::move(call),
                                                                      std::move(request));
}

Task<absl::StatusOr<Job>> JobServiceImpl::Find(JobId id) {
  auto get = [this, id] { return context_.jobs.Get(id); };
  const auto job = co_await Blocking(context_, std::move(get));
  if (!job.ok()) co_return AsJobError(job.status(), id);
  co_return *job;
}

Task<absl::StatusOr<v1::GetJobResponse>> JobServiceImpl::Get(rpc::Call, v1::GetJobRequest request) {
  CO_RETURN_IF_ERROR(CheckJob(request.job_id()));
  CO_ASSIGN_OR_RETURN(const Job job, co_await Find(JobId(request.job_id())));
  v1::GetJobResponse response;
  *response.mutable_job() = rpc::ToProto(job);
  co_return response;
}

Task<absl::StatusOr<v1::ListJobsResponse>> JobServiceImpl::List(rpc::Call,
                                                                v1::ListJobsRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  JobFilter filter;
  filter.unfinished = request.unfinished();
  CO_ASSIGN_OR_RETURN(filter.kind, rpc::KindOf(request.kind()));
  CO_ASSIGN_OR_RETURN(filter.connection, co_await FindFilter(context_, request.has_connection(),
                                                             request.connection()));
  auto list = [this, filter, page] {
    return context_.jobs.List(filter, JobId(page.after), page.size + 1);
  };
  CO_ASSIGN_OR_RETURN(const auto jobs, co_await Blocking(context_, std::move(list)));
  v1::ListJobsResponse response;
  rpc::FillPage(request, page, jobs, *response.mutable_jobs(), response,
                [](const Job& job) { return std::pair(job.id.value(), rpc::ToProto(job)); });
  co_return response;
}

Task<absl::StatusOr<v1::CancelJobResponse>> JobServiceImpl::Cancel(rpc::Call call,
                                                                   v1::CancelJobRequest request) {
  CO_RETURN_IF_ERROR(CheckJob(request.job_id()));
  const JobId id(request.job_id());
  auto cancel = [this, id, actor = call.ActorFor(request)] {
    return context_.jobs.Cancel(id, actor, context_.clock.Now());
  };
  const auto job = co_await Blocking(context_, std::move(cancel));
  if (!job.ok()) co_return AsJobError(job.status(), id);
  context_.scheduler.JobsChanged(job->spec.connection);
  v1::CancelJobResponse response;
  *response.mutable_job() = rpc::ToProto(*job);
  co_return response;
}

Task<absl::Status> JobServiceImpl::Watch(rpc::Call call, std::string authorization,
                                         v1::WatchJobRequest request,
                                         std::shared_ptr<WatchReactor> stream) {
  CO_RETURN_IF_ERROR(CheckJob(request.job_id()));
  // The hook may still run when we have ended: it holds what it touches.
  const auto wakeup = std::make_shared<Wakeup>();
  call.state().OnCancel([wakeup] { wakeup->Notify(); });
  std::optional<Job> sent;
  absl::Duration sent_at;
  while (true) {
    CO_RETURN_IF_ERROR(call.StillWanted());
    if (!context_.gate.IsOpen()) co_return rpc::Draining();
    CO_ASSIGN_OR_RETURN(const Job job, co_await Find(JobId(request.job_id())));
    const absl::Duration now = context_.clock.Monotonic();
    if (!sent || Moved(*sent, job) || now - sent_at >= context_.heartbeat) {
      if (sent) CO_RETURN_IF_ERROR(co_await context_.gate.Recheck(authorization));
      v1::WatchJobResponse response;
      *response.mutable_job() = rpc::ToProto(job);
      const bool written = co_await stream->Write(std::move(response));
      CO_RETURN_IF_ERROR(call.StillWanted());
      if (!written) co_return absl::CancelledError("the caller has gone");
      sent = job;
      sent_at = now;
    }
    if (IsOver(job.state)) co_return absl::OkStatus();
    co_await context_.sleeper.Sleep(kLook, wakeup.get());
  }
}

}  // namespace poller
