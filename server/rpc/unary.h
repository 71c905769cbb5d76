// Runs a coroutine as the handler of a unary RPC.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/async/task.h"
#include "core/base/status.h"
#include "server/rpc/gate.h"
#include "server/rpc/status_conversion.h"

namespace poller::rpc {

// gRPC's side of one call. Lives until both gRPC (OnDone) and the handler are done with it.
template <class Request, class Response>
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  static std::shared_ptr<UnaryReactor> Make(const Request& request, Response& response) {
    auto reactor = std::shared_ptr<UnaryReactor>(new UnaryReactor(request, response));
    reactor->self_ = reactor;
    return reactor;
  }

  // A copy of what was asked; nothing when it was answered: gRPC frees the request then. Any thread.
  std::optional<Request> CopyRequest() {
    absl::MutexLock lock(&mu_);
    if (ended_) return std::nullopt;
    return request_;
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
  UnaryReactor(const Request& request, Response& response)
      : request_(request), response_(response) {}

  const std::shared_ptr<CallState> state_ = std::make_shared<CallState>();
  std::shared_ptr<UnaryReactor> self_;
  absl::Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  const Request& request_;
  Response& response_;
};

// A handler: a member function of a service. It owns its request.
template <class Service, class Request, class Response>
using UnaryHandler = Task<absl::StatusOr<Response>> (Service::*)(Call call, Request request);

// Calls the handler, unless a call with the same request id was answered already.
template <class Service, class Request, class Response>
Task<absl::StatusOr<Response>> AnswerOnce(Once* once, std::string kind, Call call, Request request,
                                          Service* service,
                                          UnaryHandler<Service, Request, Response> handler) {
  bool counts = !request.request_id().empty();
  if constexpr (requires { request.validate_only(); }) counts = counts && !request.validate_only();
  if (!counts) co_return co_await (service->*handler)(std::move(call), std::move(request));
  CO_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  const Actor actor = call.ActorFor(request);
  CO_ASSIGN_OR_RETURN(const std::optional<std::string> known, co_await once->Begin(kind, actor));
  if (known) {
    Response response;
    response.ParseFromString(*known);
    co_return response;
  }
  auto result = co_await (service->*handler)(std::move(call), std::move(request));
  std::optional<std::string> answer;
  if (result.ok()) answer = result->SerializeAsString();
  co_await once->Finish(kind, actor, std::move(answer));
  co_return result;
}

enum class Repeat { kByHandler, kByOnce };

// What an admitted call comes to. The last copies of `call` are gone when it returns.
template <Repeat kRepeat, class Request, class Response, class Service>
Task<absl::StatusOr<Response>> Handle(Gate* gate, const Access* access, Call call, Request request,
                                      Service* service,
                                      UnaryHandler<Service, Request, Response> handler) {
  if constexpr (kRepeat == Repeat::kByOnce) {
    auto result = co_await AnswerOnce<Service, Request, Response>(
        &gate->once(), access->method, call, std::move(request), service, handler);
    gate->Ended(*access, call, result.status());
    co_return result;
  } else {
    auto result = co_await (service->*handler)(call, std::move(request));
    gate->Ended(*access, call, result.status());
    co_return result;
  }
}

// The request is copied for those who are let in alone: it may be large. `Reactor` is UnaryReactor,
// save in tests.
template <Repeat kRepeat, class Request, class Response, class Reactor, class Service>
Task<void> RunUnary(Gate* gate, std::shared_ptr<Reactor> reactor, Caller caller, Service* service,
                    UnaryHandler<Service, Request, Response> handler) {
  static const Access access = AccessOfRequest(*Request::descriptor());
  auto call = co_await gate->Admit(access, std::move(caller), reactor->state());
  if (!call.ok()) {
    reactor->End(call.status());
    co_return;
  }
  std::optional<Request> request = reactor->CopyRequest();
  if (!request) co_return;
  // The call gives up its place before its answer is on the way: who asks again then finds it free.
  auto result = co_await Handle<kRepeat, Request, Response>(gate, &access, *std::move(call),
                                                            *std::move(request), service, handler);
  reactor->End(std::move(result));
}

// Admits the call and starts its handler. `service` and `gate` outlive the gate's tasks.
template <Repeat kRepeat = Repeat::kByHandler, class Service, class Request, class Response>
grpc::ServerUnaryReactor* ServeUnary(Gate& gate, grpc::CallbackServerContext& context,
                                     const Request& request, Response& response, Service* service,
                                     UnaryHandler<Service, Request, Response> handler) {
  auto reactor = UnaryReactor<Request, Response>::Make(request, response);
  gate.calls().Spawn(RunUnary<kRepeat, Request, Response>(
      &gate, reactor, CallerOf(context, request.ByteSizeLong()), service, handler));
  return reactor.get();
}

// The same for calls with a `request_id`, whose repeats get the first answer.
template <class Service, class Request, class Response>
grpc::ServerUnaryReactor* ServeOnce(Gate& gate, grpc::CallbackServerContext& context,
                                    const Request& request, Response& response, Service* service,
                                    UnaryHandler<Service, Request, Response> handler) {
  return ServeUnary<Repeat::kByOnce>(gate, context, request, response, service, handler);
}

}  // namespace poller::rpc
