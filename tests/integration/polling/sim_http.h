// An HttpClient that hands each request to a function that answers as a server would, without a
// socket and without time.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "core/http/http_client.h"
#include "tests/support/http_types.h"

namespace poller::test {

class SimHttp final : public HttpClient {
 public:
  using Server = std::function<TestReply(const TestRequest&)>;
  // `web_clock` makes the Date headers.
  SimHttp(Server server, std::function<absl::Time()> web_clock)
      : server_(std::move(server)), web_clock_(std::move(web_clock)) {}

  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override;

  int requests() const { return requests_; }

 private:
  Server server_;
  std::function<absl::Time()> web_clock_;
  int requests_ = 0;
};

}  // namespace poller::test
