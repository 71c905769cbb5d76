#include "core/polling/paced_http.h"

#include <utility>

#include "core/odoo/version.h"

namespace poller {

absl::Duration CallGap(const OdooSettings& odoo, const PollingOptions& options) {
  double rate = odoo.rate;
  if (rate <= 0) rate = options.odoo_rate.value_or(odoo::IsOdooOnline(odoo.url) ? 1 : 0);
  return rate > 0 ? absl::Seconds(1) / rate : absl::ZeroDuration();
}

Task<absl::StatusOr<HttpResponse>> PacedHttp::Send(HttpRequest request) {
  const absl::Duration wait = turn_->ReserveCall(gap_, clock_.Monotonic());
  if (wait > absl::ZeroDuration()) co_await sleeper_.Sleep(wait);
  if (wanted_ && !wanted_().ok())
    co_return TransportError(TransportFailure::kCancelled, "nobody waits for the answer any more");
  co_return co_await inner_.Send(std::move(request));
}

}  // namespace poller
