// HttpClient over libcurl's multi interface.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/metrics.h"
#include "core/http/egress_policy.h"
#include "core/http/http_client.h"

namespace poller {

struct CurlOptions {
  EgressPolicy egress;
  // Bytes of all answers in memory at one time, kOverloaded beyond. A server (scheme, host and
  // port) may hold a quarter of what is left free beside it: a fifth of all at most, which is also
  // the largest answer that is taken.
  std::int64_t response_budget = 256 << 20;
  int max_requests = 4096;     // in flight; more wait in order
  std::string default_ca_pem;  // empty: the system's
  std::string user_agent = "odoo-order-poller";
};

// One thread owns every handle (epoll and curl_multi_socket_action). A response's bytes count
// against the budget from the first byte read until `Send` hands the response over.
class CurlHttpClient final : public HttpClient {
 public:
  // kInternal if libcurl or epoll cannot be set up.
  static absl::StatusOr<std::unique_ptr<CurlHttpClient>> Create(CurlOptions options,
                                                                Metrics& metrics);
  // Ends all requests with kCancelled and joins the thread.
  ~CurlHttpClient() override;

  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override;
  // Ends all requests in flight with kCancelled, and every later one. Thread-safe.
  void Shutdown();

 private:
  class Engine;  // curl/engine.h
  explicit CurlHttpClient(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace poller
