// An HTTP client whose answers a test writes.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "core/http/http_client.h"

namespace poller::odoo {

class ScriptedHttp final : public HttpClient {
 public:
  using Handler = std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)>;
  explicit ScriptedHttp(Handler handler) : handler_(std::move(handler)) {}

  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override {
    requests.push_back(request);
    co_return handler_(request);
  }

  std::vector<HttpRequest> requests;

 private:
  Handler handler_;
};

inline HttpResponse MakeResponse(int status, std::string content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.push_back({"Content-Type", std::move(content_type)});
  return response;
}

// Runs `task` to its end.
template <class T>
T Await(Task<T> task) {
  boost::asio::io_context io;
  auto result = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  io.run();
  return result.get();
}

}  // namespace poller::odoo
