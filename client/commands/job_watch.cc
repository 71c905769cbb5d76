#include "client/commands/job_watch.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/job_view.h"
#include "client/output/text.h"
#include "odoopoller/v1/job_service.grpc.pb.h"

namespace poller::client {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(200);
constexpr absl::Duration kLongestWait = absl::Seconds(5);

// The line that tells how far it is: rewritten on a terminal, else printed when it changes.
class ProgressLine {
 public:
  explicit ProgressLine(Session& session) : session_(session) {}

  void Show(const api::Job& job) {
    std::string text = Named(job) + ": " + ProgressText(job);
    if (text == last_) return;
    last_ = text;
    if (!session_.io().terminal.OutputIsTerminal()) return session_.Note(text);
    text = FitWidth(Printable(text), static_cast<std::size_t>(session_.io().terminal.Width() - 1));
    session_.io().err << "\r\x1b[K" << text << std::flush;
    open_ = true;
  }
  // Other output may follow.
  void Close() {
    if (open_) session_.io().err << "\r\x1b[K" << std::flush;
    open_ = false;
  }

 private:
  Session& session_;
  std::string last_;
  bool open_ = false;
};

class Watcher {
 public:
  Watcher(Session& session, std::int64_t job)
      : session_(session), stub_(session.Stub<api::JobService>()), line_(session) {
    request_.set_job_id(job);
    if (const auto timeout = session.timeout()) deadline_ = After(*timeout);
  }

  int Run() {
    Interrupt& interrupt = session_.io().interrupt;
    interrupt.OnInterrupt([this] {
      absl::MutexLock lock(&mutex_);
      if (context_ != nullptr) context_->TryCancel();
    });
    const grpc::Status status = ReadToTheEnd(interrupt);
    interrupt.OnInterrupt(nullptr);
    line_.Close();
    if (known_ && IsOver(job_)) return Conclude();
    if (interrupt.Interrupted()) return Detach("interrupted", kInterrupted);
    if (known_ && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
      return Detach("not over in time", kUnfinished);
    return session_.Fail(status);
  }

 private:
  grpc::Status ReadToTheEnd(Interrupt& interrupt) {
    for (;;) {
      const grpc::Status status = ReadOne(interrupt);
      const bool lost = status.ok() || status.error_code() == grpc::StatusCode::UNAVAILABLE;
      if ((known_ && IsOver(job_)) || interrupt.Interrupted() || !known_ || !lost) return status;
      line_.Close();
      session_.Note("pollerctl: the connection is lost; trying again until it is back");
      if (!interrupt.Wait(std::min(wait_, TimeLeft()))) return status;
      wait_ = std::min(2 * wait_, kLongestWait);
    }
  }

  grpc::Status ReadOne(Interrupt& interrupt) {
    grpc::ClientContext context;
    session_.Prepare(context, absl::InfiniteDuration());
    if (deadline_) context.set_deadline(*deadline_);
    SetContext(&context, interrupt);
    const auto reader = stub_->WatchJob(&context, request_);
    api::WatchJobResponse message;
    while (reader->Read(&message)) {
      job_ = message.job();
      known_ = true;
      wait_ = kFirstWait;
      if (session_.format() == Format::kJsonLines) {
        session_.PrintMessage(job_);
      } else if (!IsOver(job_)) {
        line_.Show(job_);
      }
    }
    const grpc::Status status = reader->Finish();
    SetContext(nullptr, interrupt);
    return status;
  }

  void SetContext(grpc::ClientContext* context, Interrupt& interrupt) {
    absl::MutexLock lock(&mutex_);
    context_ = context;
    if (context_ != nullptr && interrupt.Interrupted()) context_->TryCancel();
  }

  static gpr_timespec After(absl::Duration duration) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(absl::ToInt64Milliseconds(duration), GPR_TIMESPAN));
  }

  absl::Duration TimeLeft() const {
    if (!deadline_) return absl::InfiniteDuration();
    const gpr_timespec left = gpr_time_sub(*deadline_, gpr_now(GPR_CLOCK_MONOTONIC));
    return std::max(absl::ZeroDuration(), absl::Milliseconds(gpr_time_to_millis(left)));
  }

  // The job goes on without us.
  int Detach(std::string_view why, int code) {
    session_.Note(
        fmt::format("\npollerctl: {}: job {} goes on; pollerctl jobs watch {} shows it again", why,
                    request_.job_id(), request_.job_id()));
    if (known_ && session_.format() == Format::kJson) session_.PrintMessage(job_);
    return code;
  }

  int Conclude() {
    if (session_.format() == Format::kJson) session_.PrintMessage(job_);
    if (session_.table()) {
      std::ostream& out = session_.io().out;
      out << fmt::format("{} {}: {}\n", Named(job_), StateCell(job_).text, ProgressText(job_));
      if (!job_.error().empty()) out << Printable(job_.error()) << '\n';
      PrintDifferences(session_, job_.progress());
    }
    if (job_.state() != api::JOB_STATE_SUCCEEDED) return kRefused;
    const bool reported = job_.kind() == api::JOB_KIND_RECONCILE && !job_.repair();
    return reported && job_.progress().difference_count() > 0 ? kUnhealthy : kDone;
  }

  Session& session_;
  const std::unique_ptr<api::JobService::Stub> stub_;
  ProgressLine line_;
  api::WatchJobRequest request_;
  api::Job job_;                          // as it was last
  bool known_ = false;                    // `job_` is set: there is a server that lets us read
  std::optional<gpr_timespec> deadline_;  // --timeout
  absl::Duration wait_ = kFirstWait;
  absl::Mutex mutex_;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // what an interrupt cancels
};

}  // namespace

int WatchJob(Session& session, std::int64_t job) { return Watcher(session, job).Run(); }

}  // namespace poller::client
