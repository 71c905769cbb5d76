// Keeps the calls to one Odoo apart.
#pragma once

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/polling_options.h"

namespace poller {

// Between the beginnings of two calls to a connection's Odoo: from its own rate, else from the
// server's, which by default is one a second for Odoo Online and none for others.
absl::Duration CallGap(const OdooSettings& odoo, const PollingOptions& options);

// Waits, before each call, until `gap` has passed since the call before it of all who share `turn`.
// Then `wanted` is asked: where it has an error, no call is made and the answer is kCancelled.
class PacedHttp final : public HttpClient {
 public:
  // The references outlive this.
  PacedHttp(HttpClient& inner, const Clock& clock, Sleeper& sleeper,
            std::shared_ptr<IngestLane> turn, absl::Duration gap, StillWanted wanted = nullptr)
      : inner_(inner),
        clock_(clock),
        sleeper_(sleeper),
        turn_(std::move(turn)),
        gap_(gap),
        wanted_(std::move(wanted)) {}
  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override;

 private:
  HttpClient& inner_;
  const Clock& clock_;
  Sleeper& sleeper_;
  const std::shared_ptr<IngestLane> turn_;
  const absl::Duration gap_;
  const StillWanted wanted_;
};

}  // namespace poller
