// An HttpClient that hands each request to a function that answers as a server would, without a
// socket, and without time unless told.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "core/async/sleeper.h"
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
  int most_in_flight() const { return most_in_flight_; }
  // From now on every answer takes that long. The sleeper outlives this.
  void SetLatency(Sleeper& sleeper, absl::Duration latency) {
    sleeper_ = &sleeper;
    latency_ = latency;
  }

 private:
  Server server_;
  std::function<absl::Time()> web_clock_;
  int requests_ = 0;
  int in_flight_ = 0, most_in_flight_ = 0;
  Sleeper* sleeper_ = nullptr;
  absl::Duration latency_;
};

}  // namespace poller::test
