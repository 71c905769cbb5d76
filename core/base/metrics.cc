#include "core/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poller {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void Add(double amount) override { counter_.Increment(amount); }
  double Value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }
  void Add(double amount) override { gauge_.Increment(amount); }
  double Value() const override { return gauge_.Value(); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void Observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

// One kind of metric: its handles by name and labels.
template <class Handle>
using Handles = std::map<std::pair<std::string, MetricLabels>, std::unique_ptr<Handle>>;

}  // namespace

struct Metrics::Impl {
  // The handle of (name, labels); `make` is called with neither known yet.
  template <class Handle, class Make>
  Handle& Find(Handles<Handle>& handles, std::string_view name, const MetricLabels& labels,
               const Make& make) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    std::unique_ptr<Handle>& handle = handles[{std::string(name), labels}];
    if (handle == nullptr) handle = make();
    return *handle;
  }

  absl::Mutex mu;
  // A name used for two kinds of metric is a mistake of ours: the library throws, and the process
  // ends.
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  Handles<Counter> counters ABSL_GUARDED_BY(mu);
  Handles<Gauge> gauges ABSL_GUARDED_BY(mu);
  Handles<Histogram> histograms ABSL_GUARDED_BY(mu);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(std::string_view name, std::string_view help,
                             const MetricLabels& labels) {
  absl::MutexLock lock(&impl_->mu);
  return impl_->Find(impl_->counters, name, labels, [&]() -> std::unique_ptr<Counter> {
    auto& family = prometheus::BuildCounter()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry);
    return std::make_unique<PrometheusCounter>(family.Add(labels));
  });
}

Gauge& Metrics::GetGauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  absl::MutexLock lock(&impl_->mu);
  return impl_->Find(impl_->gauges, name, labels, [&]() -> std::unique_ptr<Gauge> {
    auto& family = prometheus::BuildGauge()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry);
    return std::make_unique<PrometheusGauge>(family.Add(labels));
  });
}

Histogram& Metrics::GetHistogram(std::string_view name, std::string_view help,
                                 const std::vector<double>& bounds, const MetricLabels& labels) {
  absl::MutexLock lock(&impl_->mu);
  return impl_->Find(impl_->histograms, name, labels, [&]() -> std::unique_ptr<Histogram> {
    auto& family = prometheus::BuildHistogram()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry);
    return std::make_unique<PrometheusHistogram>(family.Add(labels, bounds));
  });
}

std::string Metrics::Serialize() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace poller
