// What polling counts about itself.
#pragma once

#include <string_view>

#include "absl/time/time.h"
#include "core/base/metrics.h"
#include "core/model/connection.h"
#include "core/polling/polling_options.h"

namespace poller {

// Thread-safe; lives no longer than its Metrics.
class PollingMetrics {
 public:
  explicit PollingMetrics(Metrics& metrics);

  // `result`: "ok", or the class of the failure (pass_verdict.h).
  void Pass(std::string_view result, const PassResult& pass);
  // `result` as above.
  void Sweep(std::string_view result, const PassResult& sweep);
  void BreakerChanged(BreakerState to);
  // The key of a connection is about to end, or no longer.
  void KeyExpiring(bool is);
  void Suspended(std::string_view reason);

 private:
  Metrics& metrics_;
  Histogram& duration_;
  Counter& recorded_;
  Counter& dead_;
  Counter& cancelled_;
  Counter& deferred_;
  Gauge& keys_expiring_;
  Counter& late_;
};

}  // namespace poller
