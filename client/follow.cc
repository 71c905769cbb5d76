#include "client/follow.h"

#include <fmt/format.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/errors.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"

namespace poller::client {
namespace {

// How long messages must pause before the reader is idle.
constexpr absl::Duration kIdle = absl::Milliseconds(100);

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(duration), GPR_TIMESPAN));
}

// One call of the stream, read with a time limit. Not thread-safe, save Cancel.
class EventStream {
 public:
  enum class Result { kMessage, kTimeout, kEnded };

  EventStream(const Session& session, api::SyncLogService::Stub& stub,
              const api::StreamSyncEventsRequest& request) {
    session.Prepare(context_, absl::InfiniteDuration());
    reader_ = stub.AsyncStreamSyncEvents(&context_, request, &queue_, this);
    pending_ = true;
  }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream() {
    context_.TryCancel();
    if (!finished_) Finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // The next message in `message()`; kEnded: `Finish` says how. After kTimeout ask again.
  Result Read(absl::Duration patience) {
    if (!started_) {
      bool ok = false;
      if (!Await(patience, ok)) return Result::kTimeout;
      if (!ok) return Result::kEnded;
      started_ = true;
    }
    if (!pending_) {
      reader_->Read(&message_, this);
      pending_ = true;
    }
    bool ok = false;
    if (!Await(patience, ok)) return Result::kTimeout;
    return ok ? Result::kMessage : Result::kEnded;
  }
  const api::StreamSyncEventsResponse& message() const { return message_; }

  // Waits for the end. Cancel first, if it has not ended by itself.
  grpc::Status Finish() {
    bool ok = false;
    if (pending_) Await(absl::InfiniteDuration(), ok);
    grpc::Status status;
    reader_->Finish(&status, this);
    pending_ = true;
    Await(absl::InfiniteDuration(), ok);
    finished_ = true;
    return status;
  }
  // Any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  // Waits for the operation that is pending. False: not in time.
  bool Await(absl::Duration patience, bool& ok) {
    void* tag = nullptr;
    if (patience == absl::InfiniteDuration()) {
      queue_.Next(&tag, &ok);
    } else if (queue_.AsyncNext(&tag, &ok, After(patience)) == grpc::CompletionQueue::TIMEOUT) {
      return false;
    }
    pending_ = false;
    return true;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<api::StreamSyncEventsResponse>> reader_;
  api::StreamSyncEventsResponse message_;
  bool started_ = false, pending_ = false, finished_ = false;
};

class Follower {
 public:
  Follower(Session& session, api::StreamSyncEventsRequest request, const FollowCallbacks& callbacks,
           Place& place, const FollowOptions& options)
      : session_(session),
        stub_(session.Stub<api::SyncLogService>()),
        request_(std::move(request)),
        callbacks_(callbacks),
        place_(place),
        options_(options),
        wait_(options.first_wait) {}

  int Run() {
    Interrupt& interrupt = session_.io().interrupt;
    // For the whole time, so that an interrupt between two streams ends us in order, too.
    interrupt.OnInterrupt([this] {
      absl::MutexLock lock(&mutex_);
      if (stream_ != nullptr) stream_->Cancel();
    });
    const int code = FollowAll(interrupt);
    interrupt.OnInterrupt(nullptr);
    return code;
  }

 private:
  int FollowAll(Interrupt& interrupt) {
    for (;;) {
      const grpc::Status status = ReadOne();
      if (interrupt.Interrupted()) return kDone;
      if (!contact_ || !CanResume(status)) return session_.Fail(status);
      if (!lost_) session_.Note("pollerctl: the connection is lost; trying again until it is back");
      lost_ = true;
      if (!interrupt.Wait(wait_)) return kDone;
      wait_ = std::min(2 * wait_, options_.longest_wait);
    }
  }

  static bool CanResume(const grpc::Status& status) {
    switch (status.error_code()) {
      case grpc::StatusCode::OK:  // the server closed it: it is stopping
      case grpc::StatusCode::UNAVAILABLE:
      case grpc::StatusCode::CANCELLED:  // we did, because it was silent
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        return true;
      // A connection that breaks in the middle of a message; one of the server's own has a reason.
      case grpc::StatusCode::INTERNAL:
        return DetailsOf(status).reason.empty();
      default:
        return false;
    }
  }

  grpc::Status ReadOne() {
    if (place_.sequence) {
      request_.set_after_sequence(*place_.sequence);
      request_.set_log_id(place_.log_id);
    }
    EventStream stream(session_, *stub_, request_);
    SetStream(&stream);
    grpc::Status status = ReadAll(stream);
    SetStream(nullptr);
    return status;
  }

  // From now on an interrupt cancels it; at once, if there was one already.
  void SetStream(EventStream* stream) {
    absl::MutexLock lock(&mutex_);
    stream_ = stream;
    if (stream_ != nullptr && session_.io().interrupt.Interrupted()) stream_->Cancel();
  }

  grpc::Status ReadAll(EventStream& stream) {
    bool busy = false;
    for (;;) {
      const auto result = stream.Read(busy ? kIdle : options_.silence);
      if (result == EventStream::Result::kMessage) {
        Take(stream.message());
        busy = true;
      } else if (result == EventStream::Result::kEnded) {
        return stream.Finish();
      } else if (busy) {
        busy = false;
        if (callbacks_.idle) callbacks_.idle();
      } else {
        stream.Cancel();
        const grpc::Status status = stream.Finish();
        return contact_ ? status
                        : grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server says nothing");
      }
    }
  }

  void Take(const api::StreamSyncEventsResponse& message) {
    contact_ = true;
    wait_ = options_.first_wait;
    if (lost_) session_.Note("pollerctl: connected again");
    lost_ = false;
    if (message.has_heartbeat()) {
      // Never backwards, whatever the server says: what was shown would be shown again.
      const std::int64_t scanned = message.heartbeat().sequence();
      if (!place_.sequence || scanned >= *place_.sequence) {
        place_ = {message.heartbeat().log_id(), scanned};
      }
    } else if (message.has_event() &&
               (!place_.sequence || message.event().sequence() > *place_.sequence)) {
      callbacks_.event(message.event());
      place_ = {message.event().log_id(), message.event().sequence()};
    }
  }

  Session& session_;
  std::unique_ptr<api::SyncLogService::Stub> stub_;
  api::StreamSyncEventsRequest request_;
  const FollowCallbacks& callbacks_;
  Place& place_;
  const FollowOptions options_;
  absl::Duration wait_;
  bool contact_ = false;  // a message came: there is a server that lets us read
  bool lost_ = false;
  absl::Mutex mutex_;
  EventStream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;  // what an interrupt cancels
};

}  // namespace

int Follow(Session& session, api::StreamSyncEventsRequest request, const FollowCallbacks& callbacks,
           Place& place, const FollowOptions& options) {
  return Follower(session, std::move(request), callbacks, place, options).Run();
}

}  // namespace poller::client
