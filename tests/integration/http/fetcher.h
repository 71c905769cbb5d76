// Sends requests through the real client and waits for their results, as a plain function call.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "core/async/task_group.h"
#include "core/base/metrics.h"
#include "core/http/curl/curl_http_client.h"
#include "tests/support/status_matchers.h"

namespace poller {

using Result = absl::StatusOr<HttpResponse>;

// Options under which loopback may be reached.
inline CurlOptions LoopbackAllowed() {
  CurlOptions options;
  options.egress.allow = {Cidr::Parse("127.0.0.0/8").value(), Cidr::Parse("::1").value()};
  return options;
}

inline HttpRequest RequestTo(std::string url, std::string body = "{}") {
  HttpRequest request;
  request.url = std::move(url);
  request.body = std::move(body);
  return request;
}

class Fetcher {
 public:
  explicit Fetcher(CurlOptions options = LoopbackAllowed())
      : client_(CurlHttpClient::Create(std::move(options), metrics_).value()) {}
  ~Fetcher() {
    client_.reset();  // ends what is in flight
  }

  std::future<Result> Start(HttpRequest request) {
    std::promise<Result> promise;
    std::future<Result> future = promise.get_future();
    tasks_.Spawn(Send(*client_, std::move(request), std::move(promise)));
    return future;
  }
  Result Fetch(HttpRequest request) { return Start(std::move(request)).get(); }

  CurlHttpClient& client() { return *client_; }
  // Destroys the client while its requests may be in flight.
  void DestroyClient() { client_.reset(); }
  double Gauge(std::string_view name) { return metrics_.GetGauge(name, "").Value(); }
  double Count(const std::string& result) {
    return metrics_.GetCounter("poller_http_requests_total", "", {{"result", result}}).Value();
  }

 private:
  static Task<void> Send(HttpClient& client, HttpRequest request, std::promise<Result> promise) {
    Result result = co_await client.Send(std::move(request));
    promise.set_value(std::move(result));
  }

  Metrics metrics_;
  boost::asio::thread_pool pool_{2};
  TaskGroup tasks_{pool_.get_executor()};
  std::unique_ptr<CurlHttpClient> client_;
};

MATCHER_P(FailsWith, failure,
          std::string("is the transport failure ") + std::string(TransportFailureName(failure))) {
  if (arg.ok()) {
    *result_listener << "which is an answer with status " << arg->status;
    return false;
  }
  *result_listener << "which is " << Describe(arg.status());
  return TransportFailureOf(arg.status()) == failure;
}

MATCHER_P(Answers, status, "is an answer with status " + std::to_string(status)) {
  if (!arg.ok()) {
    *result_listener << "which is " << Describe(arg.status());
    return false;
  }
  *result_listener << "which has status " << arg->status;
  return arg->status == status;
}

}  // namespace poller
