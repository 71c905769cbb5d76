// Runs a coroutine as the handler of a server-streaming RPC.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/async/one_shot.h"
#include "core/async/task.h"
#include "server/rpc/gate.h"
#include "server/rpc/status_conversion.h"

namespace poller::rpc {

// gRPC's side of one stream, with at most one message under way: a slow client holds back its own
// coroutine and nothing else. Write and End are the handler's alone; End exactly once, as the last.
template <class Request, class Message>
class StreamReactor final : public grpc::ServerWriteReactor<Message> {
 public:
  static std::shared_ptr<StreamReactor> Make(const Request& request,
                                             grpc::CallbackServerContext& context) {
    auto reactor = std::shared_ptr<StreamReactor>(new StreamReactor(request, context));
    reactor->self_ = reactor;
    reactor->state_ = std::make_shared<CallState>([weak = std::weak_ptr(reactor)] {
      if (const auto stream = weak.lock()) stream->Cut();
    });
    return reactor;
  }

  // What was asked; until End.
  const Request& request() const { return request_; }
  // True when gRPC has taken the message and wants the next; false: the stream is broken, End it.
  Task<bool> Write(Message message) {
    message_ = std::move(message);
    written_ = OneShot<bool>();
    {
      absl::MutexLock lock(&mu_);
      if (ended_) co_return false;
      writing_ = true;
    }
    this->StartWrite(&message_);
    co_return co_await written_.Get();
  }
  void End(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  const std::shared_ptr<CallState>& state() const { return state_; }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mu_);
      writing_ = false;
    }
    written_.Set(ok);
  }
  void OnCancel() override {
    {
      absl::MutexLock lock(&mu_);
      ended_ = true;  // gRPC cuts it by itself
    }
    state_->Cancel();
  }
  void OnDone() override {
    auto last = std::move(self_);
    (void)last;
  }

 private:
  StreamReactor(const Request& request, grpc::CallbackServerContext& context)
      : request_(request), context_(context) {}

  // A caller that reads nothing would keep its last message under way, and with it the stream, for
  // as long as it likes. Such a caller learns that the stream was cut, and why when it calls again.
  void Cut() {
    absl::MutexLock lock(&mu_);
    if (ended_) return;
    ended_ = true;
    if (writing_) context_.TryCancel();  // which lives until that write is done
  }

  const Request& request_;
  grpc::CallbackServerContext& context_;
  std::shared_ptr<CallState> state_;
  std::shared_ptr<StreamReactor> self_;
  Message message_;
  OneShot<bool> written_;
  absl::Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

// A handler: writes until it returns. It owns its request. The header is given along so that a
// stream that lasts can be rechecked.
template <class Service, class Request, class Message>
using StreamHandler =
    Task<absl::Status> (Service::*)(Call call, std::string authorization, Request request,
                                    std::shared_ptr<StreamReactor<Request, Message>> stream);

template <class Service, class Request, class Message>
Task<void> RunStream(Gate* gate, std::shared_ptr<StreamReactor<Request, Message>> stream,
                     Caller caller, Service* service,
                     StreamHandler<Service, Request, Message> handler) {
  static const Access access = AccessOfRequest(*Request::descriptor());
  std::string authorization = caller.authorization;
  auto call = co_await gate->Admit(access, std::move(caller), stream->state());
  if (!call.ok()) {
    stream->End(call.status());
    co_return;
  }
  const absl::Status status =
      co_await (service->*handler)(*call, std::move(authorization), stream->request(), stream);
  gate->Ended(access, *call, status);
  call = absl::CancelledError();  // gives up its place before the caller learns the end
  stream->End(status);
}

// Admits the call and starts its handler. `service` and `gate` outlive the gate's tasks.
template <class Service, class Request, class Message>
grpc::ServerWriteReactor<Message>* ServeStream(Gate& gate, grpc::CallbackServerContext& context,
                                               const Request& request, Service* service,
                                               StreamHandler<Service, Request, Message> handler) {
  auto stream = StreamReactor<Request, Message>::Make(request, context);
  gate.streams().Spawn(RunStream<Service, Request, Message>(
      &gate, stream, CallerOf(context, request.ByteSizeLong()), service, handler));
  return stream.get();
}

}  // namespace poller::rpc
