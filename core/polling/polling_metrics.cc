#include "core/polling/polling_metrics.h"

#include <string>

namespace poller {
namespace {

Counter& Orders(Metrics& metrics, const char* what) {
  return metrics.GetCounter("poller_polled_orders_total",
                            "Orders that polls found, by what became of them", {{"result", what}});
}

const char* Word(BreakerState state) {
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

}  // namespace

PollingMetrics::PollingMetrics(Metrics& metrics)
    : metrics_(metrics),
      duration_(metrics.GetHistogram("poller_poll_duration_seconds",
                                     "Duration of a pass over one shop",
                                     {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300})),
      recorded_(Orders(metrics, "recorded")),
      dead_(Orders(metrics, "dead")),
      cancelled_(Orders(metrics, "cancelled")),
      deferred_(Orders(metrics, "deferred")),
      keys_expiring_(metrics.GetGauge(
          "poller_odoo_keys_expiring",
          "Connections whose user has an API key in Odoo that ends within 14 days, or has ended")),
      late_(metrics.GetCounter("poller_late_finds_total",
                               "Orders that a sweep found and the polls had missed: the overlap is "
                               "too short for some shop")) {}

void PollingMetrics::Pass(std::string_view result, const PassResult& pass) {
  metrics_
      .GetCounter("poller_polls_total", "Passes over a shop by result",
                  {{"result", std::string(result)}})
      .Add();
  duration_.Observe(absl::ToDoubleSeconds(pass.duration));
  recorded_.Add(static_cast<double>(pass.recorded));
  dead_.Add(static_cast<double>(pass.dead));
  cancelled_.Add(static_cast<double>(pass.cancelled));
  deferred_.Add(static_cast<double>(pass.deferred));
}

void PollingMetrics::Sweep(std::string_view result, const PassResult& sweep) {
  metrics_
      .GetCounter("poller_sweeps_total", "Sweeps over a shop by result",
                  {{"result", std::string(result)}})
      .Add();
  late_.Add(static_cast<double>(sweep.late));
  recorded_.Add(static_cast<double>(sweep.recorded));
  dead_.Add(static_cast<double>(sweep.dead));
  cancelled_.Add(static_cast<double>(sweep.cancelled));
  deferred_.Add(static_cast<double>(sweep.deferred));
}

void PollingMetrics::BreakerChanged(BreakerState to) {
  metrics_
      .GetCounter("poller_odoo_circuit_changes_total",
                  "Changes of Odoo's circuit breakers by new state", {{"state", Word(to)}})
      .Add();
}

void PollingMetrics::KeyExpiring(bool is) { keys_expiring_.Add(is ? 1 : -1); }

void PollingMetrics::Suspended(std::string_view reason) {
  metrics_
      .GetCounter("poller_suspensions_total", "Connections suspended, by reason",
                  {{"reason", std::string(reason)}})
      .Add();
}

}  // namespace poller
