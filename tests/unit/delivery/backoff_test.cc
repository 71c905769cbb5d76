#include "core/delivery/backoff.h"

#include <gtest/gtest.h>

namespace poller {
namespace {

TEST(RetryDelayTest, DoublesFromTheBaseToTheMax) {
  const BackoffOptions options;
  const int seconds[] = {30, 60, 120, 240, 480, 600, 600};
  for (int attempt = 1; attempt <= 7; ++attempt) {
    EXPECT_EQ(RetryDelay(options, attempt, 0.5), absl::Seconds(seconds[attempt - 1])) << attempt;
  }
}

TEST(RetryDelayTest, StopsGrowingAtMax) {
  EXPECT_EQ(RetryDelay({}, 1'000'000'000, 0.5), absl::Seconds(600));
}

TEST(RetryDelayTest, SpreadsByItsJitterBothWays) {
  EXPECT_EQ(RetryDelay({}, 1, 0), absl::Seconds(27));
  EXPECT_EQ(RetryDelay({}, 1, 0.75), absl::Seconds(31.5));
}

TEST(RetryDelayTest, ABaseAboveTheMaxIsTheMax) {
  EXPECT_EQ(RetryDelay({.base = absl::Seconds(10), .max = absl::Seconds(3), .jitter = 0}, 1, 0),
            absl::Seconds(3));
}

TEST(RetryDelayTest, AnAttemptBeforeTheFirstWaitsLikeTheFirst) {
  EXPECT_EQ(RetryDelay({}, 0, 0.5), absl::Seconds(30));
}

}  // namespace
}  // namespace poller
