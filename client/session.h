// What a command works with: the server, the token, and how to show the answer.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/channel.h"
#include "client/exit_code.h"
#include "client/io.h"
#include "client/output/table.h"
#include "client/request_id.h"
#include "core/base/secret.h"
#include "odoopoller/v1/connection.pb.h"

namespace poller::client {

namespace api = ::odoopoller::v1;

enum class Format { kTable, kJson, kJsonLines };

// The flags that every verb takes.
struct GlobalOptions {
  ChannelOptions channel;
  std::string context;       // that names the server; empty: none does
  std::string token_file;    // empty: none; without a context ./data/admin.token if it can be read
  std::string token_origin;  // who named the file, for errors: "--token-file"
  std::string timeout;       // a duration; empty: the verb's own
  Format format = Format::kTable;
};

// Cancels the call that is under way, and those that come. Thread-safe.
class CallCanceller {
 public:
  void Cancel();
  // Around a call.
  void Begin(grpc::ClientContext& context);
  void End();

 private:
  absl::Mutex mutex_;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Not thread-safe, save Prepare.
class Session {
 public:
  // `io` outlives it.
  Session(Io& io, GlobalOptions options) : io_(io), options_(std::move(options)) {}

  // Before the first call: reads the token, makes the channel. Else the exit code, after saying
  // why.
  int Open();

  // The same session with another world around it, which outlives it.
  Session In(Io& io) const;
  // From now on `canceller` can end calls, though not streams; nullptr: none can.
  void set_canceller(CallCanceller* canceller) { canceller_ = canceller; }

  Io& io() { return io_; }
  Format format() const { return options_.format; }
  bool table() const { return options_.format == Format::kTable; }
  Look look() const;
  absl::Time now() const { return io_.clock.Now(); }
  // What the user typed for a connection: if there is none, near names are told.
  void set_typed_connection(std::string typed) { typed_connection_ = std::move(typed); }
  const std::string& server() const { return options_.channel.server; }
  // --timeout; unset: it was not given.
  std::optional<absl::Duration> timeout() const { return timeout_; }

  template <class Service>
  std::unique_ptr<typename Service::Stub> Stub() const {
    return Service::NewStub(channel_);
  }

  // One call with token and deadline: `session.Call(*stub, &Stub::GetConnection, request,
  // response)`. A request that can have an id has one of its own, so that gRPC may send it again
  // without doing it twice, and the log of events tells which call it was.
  template <class StubType, class Request, class Response>
  grpc::Status Call(StubType& stub,
                    grpc::Status (StubType::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                    const Request& request, Response& response,
                    absl::Duration patience = absl::Seconds(30)) {
    if constexpr (requires(Request named) { named.set_request_id(std::string()); }) {
      if (request.request_id().empty()) {
        Request named = request;
        named.set_request_id(NewRequestId());
        return Call(stub, method, named, response, patience);
      }
    }
    grpc::ClientContext context;
    Prepare(context, patience);
    if (canceller_ != nullptr) canceller_->Begin(context);
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (canceller_ != nullptr) canceller_->End();
    if (status.ok()) connected_ = true;
    return status;
  }
  // Token, and a deadline of --timeout or `patience`; with Infinite there is none: a stream that is
  // followed.
  void Prepare(grpc::ClientContext& context, absl::Duration patience) const;

  // Says what went wrong; returns the exit code.
  int Fail(const grpc::Status& status);
  // Says how it is used; returns kUsage.
  int WrongUsage(std::string_view message);
  // A line on standard error.
  void Note(std::string_view text);

  // The answer as JSON or as one line of it. Only for those formats.
  void PrintMessage(const google::protobuf::Message& message);

 private:
  bool Connected();
  Io& io_;
  GlobalOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  Secret token_;
  std::optional<absl::Duration> timeout_;  // unset: the verb's own
  bool connected_ = false;
  std::string typed_connection_;
  CallCanceller* canceller_ = nullptr;
};

// `ID` as a person types it: digits are a number, all else is a name.
api::ConnectionRef ParseConnectionRef(const std::string& id);

}  // namespace poller::client
