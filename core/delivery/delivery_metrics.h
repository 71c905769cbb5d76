// What the delivery counts about itself.
#pragma once

#include <string_view>

#include "absl/time/time.h"
#include "core/base/metrics.h"
#include "core/model/connection.h"

namespace poller {

// Thread-safe; lives no longer than its Metrics.
class DeliveryMetrics {
 public:
  explicit DeliveryMetrics(Metrics& metrics);

  void Started() { in_flight_.Add(1); }
  void Ended() { in_flight_.Add(-1); }
  // `outcome`: "accepted", "refused", or a word of TransportFailure.
  void Attempt(std::string_view outcome, absl::Duration duration);
  void Dead() { dead_.Add(); }
  void BreakerChanged(BreakerState to);
  void OutcomeNotStored() { not_stored_.Add(); }

 private:
  Metrics& metrics_;
  Gauge& in_flight_;
  Histogram& duration_;
  Counter& dead_;
  Counter& not_stored_;
};

// "closed", "open", "half_open".
std::string_view BreakerStateWord(BreakerState state);

}  // namespace poller
