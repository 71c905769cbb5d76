#include "core/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace poller {
namespace {

using testing::HasSubstr;

TEST(MetricsTest, SameNameAndLabelsAreOneHandle) {
  Metrics metrics;
  Counter& first = metrics.GetCounter("polls_total", "Polls.", {{"outcome", "ok"}});
  Counter& again = metrics.GetCounter("polls_total", "Polls.", {{"outcome", "ok"}});
  Counter& other = metrics.GetCounter("polls_total", "Polls.", {{"outcome", "failed"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
  first.Add();
  again.Add(2);
  EXPECT_EQ(first.Value(), 3);
  EXPECT_EQ(other.Value(), 0);
}

TEST(MetricsTest, GaugesGoBothWays) {
  Metrics metrics;
  Gauge& gauge = metrics.GetGauge("waiting", "Waiting deliveries.");
  gauge.Set(5);
  gauge.Add(-2);
  EXPECT_EQ(gauge.Value(), 3);
}

TEST(MetricsTest, SerializesThePrometheusText) {
  Metrics metrics;
  metrics.GetCounter("polls_total", "Polls.", {{"outcome", "ok"}}).Add(7);
  metrics.GetGauge("waiting", "Waiting deliveries.").Set(4);
  Histogram& seconds = metrics.GetHistogram("poll_seconds", "Duration of polls.", {0.1, 1});
  seconds.Observe(0.05);
  seconds.Observe(0.5);
  seconds.Observe(5);
  const std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("# HELP polls_total Polls.\n# TYPE polls_total "
                              "counter\npolls_total{outcome=\"ok\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE waiting gauge\nwaiting 4\n"));
  EXPECT_THAT(text, HasSubstr("poll_seconds_bucket{le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poll_seconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("poll_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("poll_seconds_count 3\n"));
}

TEST(MetricsTest, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 1000; ++i) metrics.GetCounter("hits_total", "Hits.").Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.GetCounter("hits_total", "Hits.").Value(), 8000);
}

}  // namespace
}  // namespace poller
