#include "core/http/curl/curl_http_client.h"

#include <utility>

#include "core/async/one_shot.h"
#include "core/http/curl/engine.h"

namespace poller {

absl::StatusOr<std::unique_ptr<CurlHttpClient>> CurlHttpClient::Create(CurlOptions options,
                                                                       Metrics& metrics) {
  auto engine = std::make_unique<Engine>(std::move(options), metrics);
  const absl::Status started = engine->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<CurlHttpClient>(new CurlHttpClient(std::move(engine)));
}

CurlHttpClient::CurlHttpClient(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

CurlHttpClient::~CurlHttpClient() = default;

Task<absl::StatusOr<HttpResponse>> CurlHttpClient::Send(HttpRequest request) {
  OneShot<Outcome> result;
  engine_->Submit(std::move(request), result);
  // Nothing of *this from here on: the client may be gone when the answer of a stop comes.
  Outcome outcome = co_await result.Get();
  co_return std::move(outcome.response);
}

void CurlHttpClient::Shutdown() { engine_->Shutdown(); }

}  // namespace poller
