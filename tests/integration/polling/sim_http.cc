#include "tests/integration/polling/sim_http.h"

#include <algorithm>
#include <string>

#include "core/base/url.h"

namespace poller::test {
namespace {

absl::StatusOr<HttpResponse> Travel(const HttpRequest& request, TestReply reply, absl::Time date) {
  if (reply.ending == Ending::kHang || reply.delay > request.timeout) {
    return TransportError(TransportFailure::kTimeout, "no answer in time");
  }
  if (reply.ending != Ending::kComplete) {
    return TransportError(TransportFailure::kReset, "the connection broke");
  }
  const auto size = static_cast<std::int64_t>(reply.body.size() + reply.filler);
  if (size > request.max_response_bytes) {
    return TransportError(TransportFailure::kTooLarge, "the answer is too large");
  }
  HttpResponse response;
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers.fields())
    response.headers.push_back({name, value});
  if (reply.send_date && !reply.headers.Has("Date")) {
    response.headers.push_back({"Date", FormatHttpDate(date)});
  }
  response.body = std::move(reply.body);
  response.body.append(reply.filler, ' ');
  response.peer = "192.0.2.1:443";
  return response;
}

}  // namespace

Task<absl::StatusOr<HttpResponse>> SimHttp::Send(HttpRequest request) {
  ++requests_;
  const auto url = ParseUrl(request.url);
  if (!url.ok()) co_return TransportError(TransportFailure::kProtocol, "bad URL");
  if (url->host.ends_with(".invalid"))
    co_return TransportError(TransportFailure::kDns, "no such host");
  TestRequest arrived;
  arrived.method = request.method;
  arrived.path = url->path;
  for (const HttpHeader& header : request.headers) arrived.headers.Add(header.name, header.value);
  arrived.body = request.body;
  TestReply reply = server_(arrived);
  most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
  if (sleeper_ != nullptr) co_await sleeper_->Sleep(latency_);
  --in_flight_;
  co_return Travel(request, std::move(reply), web_clock_());
}

}  // namespace poller::test
