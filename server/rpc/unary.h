// Runs a coroutine as the handler of a unary RPC.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/async/task.h"
#include "server/rpc/gate.h"
#include "server/rpc/status_conversion.h"

namespace poller::rpc {

// gRPC's side of one call. Lives until both gRPC (OnDone) and the handler are done with it.
template <class Response>
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  static std::shared_ptr<UnaryReactor> Make(Response& response) {
    auto reactor = std::shared_ptr<UnaryReactor>(new UnaryReactor(response));
    reactor->self_ = reactor;
    return reactor;
  }

  // Answers, unless the caller has gone: gRPC frees `response` then. Any thread.
  void End(absl::StatusOr<Response> result) {
    absl::MutexLock lock(&mu_);
    if (ended_) return;
    ended_ = true;
    if (result.ok()) response_ = *std::move(result);
    Finish(ToGrpc(result.status()));
  }
  const std::shared_ptr<CallState>& state() const { return state_; }

  // The handler goes on to its next step, and nobody waits for it: the caller's resources are freed
  // at once.
  void OnCancel() override {
    state_->Cancel();
    End(absl::CancelledError("the call was cancelled or its deadline has passed"));
  }
  void OnDone() override {
    auto last = std::move(self_);
    (void)last;
  }

 private:
  explicit UnaryReactor(Response& response) : response_(response) {}

  const std::shared_ptr<CallState> state_ = std::make_shared<CallState>();
  std::shared_ptr<UnaryReactor> self_;
  absl::Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  Response& response_;
};

// A handler: a member function of a service. It owns its request.
template <class Service, class Request, class Response>
using UnaryHandler = Task<absl::StatusOr<Response>> (Service::*)(Call call, Request request);

template <class Service, class Request, class Response>
Task<void> RunUnary(Gate* gate, std::shared_ptr<UnaryReactor<Response>> reactor,
                    std::string authorization, Request request, Service* service,
                    UnaryHandler<Service, Request, Response> handler) {
  static const Access access = AccessOfRequest(*Request::descriptor());
  auto call = co_await gate->Admit(access, std::move(authorization), reactor->state());
  if (!call.ok()) {
    reactor->End(call.status());
    co_return;
  }
  auto result = co_await (service->*handler)(*call, std::move(request));
  gate->Ended(access, *call, result.status());
  reactor->End(std::move(result));
}

// Admits the call and starts its handler. `service` and `gate` outlive the gate's tasks.
template <class Service, class Request, class Response>
grpc::ServerUnaryReactor* ServeUnary(Gate& gate, grpc::CallbackServerContext& context,
                                     const Request& request, Response& response, Service* service,
                                     UnaryHandler<Service, Request, Response> handler) {
  auto reactor = UnaryReactor<Response>::Make(response);
  gate.calls().Spawn(RunUnary<Service, Request, Response>(&gate, reactor, AuthorizationOf(context),
                                                          request, service, handler));
  return reactor.get();
}

}  // namespace poller::rpc
