#include "core/delivery/delivery_metrics.h"

#include <string>

namespace poller {

DeliveryMetrics::DeliveryMetrics(Metrics& metrics)
    : metrics_(metrics),
      in_flight_(metrics.GetGauge("poller_deliveries_in_flight", "Webhook requests in flight")),
      duration_(metrics.GetHistogram("poller_delivery_duration_seconds",
                                     "Time of one webhook request, from its start to its answer",
                                     {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60})),
      dead_(metrics.GetCounter("poller_deliveries_dead_total",
                               "Deliveries given up after the receiver refused the order")),
      not_stored_(metrics.GetCounter("poller_delivery_outcomes_not_stored_total",
                                     "Times the outcome of a delivery could not be stored yet")) {}

void DeliveryMetrics::Attempt(std::string_view outcome, absl::Duration duration) {
  metrics_
      .GetCounter("poller_deliveries_total", "Webhook requests by outcome",
                  {{"outcome", std::string(outcome)}})
      .Add();
  duration_.Observe(absl::ToDoubleSeconds(duration));
}

void DeliveryMetrics::BreakerChanged(BreakerState to) {
  metrics_
      .GetCounter("poller_circuit_changes_total",
                  "Changes of circuit breakers by leg and new state",
                  {{"leg", "receiver"}, {"state", std::string(BreakerStateWord(to))}})
      .Add();
}

std::string_view BreakerStateWord(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half_open";
  }
  return "";
}

}  // namespace poller
