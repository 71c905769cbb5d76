// Runs a coroutine as the handler of a server-streaming RPC.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "core/async/one_shot.h"
#include "core/async/task.h"
#include "server/rpc/gate.h"
#include "server/rpc/status_conversion.h"

namespace poller::rpc {

// gRPC's side of one stream, with at most one message under way: a slow client holds back its own
// coroutine and nothing else. Write and End are the handler's alone; End exactly once, as the last.
template <class Message>
class StreamReactor final : public grpc::ServerWriteReactor<Message> {
 public:
  static std::shared_ptr<StreamReactor> Make() {
    auto reactor = std::shared_ptr<StreamReactor>(new StreamReactor);
    reactor->self_ = reactor;
    return reactor;
  }

  // True when gRPC has taken the message and wants the next; false: the stream is broken, End it.
  Task<bool> Write(Message message) {
    message_ = std::move(message);
    written_ = OneShot<bool>();
    this->StartWrite(&message_);
    co_return co_await written_.Get();
  }
  void End(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  const std::shared_ptr<CallState>& state() const { return state_; }

  void OnWriteDone(bool ok) override { written_.Set(ok); }
  void OnCancel() override { state_->Cancel(); }
  void OnDone() override {
    auto last = std::move(self_);
    (void)last;
  }

 private:
  StreamReactor() = default;

  const std::shared_ptr<CallState> state_ = std::make_shared<CallState>();
  std::shared_ptr<StreamReactor> self_;
  Message message_;
  OneShot<bool> written_;
};

// A handler: writes until it returns. It owns its request. The header is given along so that a
// stream that lasts can be rechecked.
template <class Service, class Request, class Message>
using StreamHandler =
    Task<absl::Status> (Service::*)(Call call, std::string authorization, Request request,
                                    std::shared_ptr<StreamReactor<Message>> stream);

template <class Service, class Request, class Message>
Task<void> RunStream(Gate* gate, std::shared_ptr<StreamReactor<Message>> stream, Caller caller,
                     Request request, Service* service,
                     StreamHandler<Service, Request, Message> handler) {
  static const Access access = AccessOfRequest(*Request::descriptor());
  std::string authorization = caller.authorization;
  auto call = co_await gate->Admit(access, std::move(caller), stream->state());
  if (!call.ok()) {
    stream->End(call.status());
    co_return;
  }
  const absl::Status status =
      co_await (service->*handler)(*call, std::move(authorization), std::move(request), stream);
  gate->Ended(access, *call, status);
  stream->End(status);
}

// Admits the call and starts its handler. `service` and `gate` outlive the gate's tasks.
template <class Service, class Request, class Message>
grpc::ServerWriteReactor<Message>* ServeStream(Gate& gate, grpc::CallbackServerContext& context,
                                               const Request& request, Service* service,
                                               StreamHandler<Service, Request, Message> handler) {
  auto stream = StreamReactor<Message>::Make();
  gate.streams().Spawn(RunStream<Service, Request, Message>(&gate, stream, CallerOf(context),
                                                            request, service, handler));
  return stream.get();
}

}  // namespace poller::rpc
