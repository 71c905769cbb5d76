#include "core/base/random_source.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/base/clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

TEST(SystemRandomTest, UnitIsHalfOpen) {
  std::set<double> seen;
  for (int i = 0; i < 1000; ++i) {
    const double draw = SystemRandom().Unit();
    EXPECT_GE(draw, 0.0);
    EXPECT_LT(draw, 1.0);
    seen.insert(draw);
  }
  EXPECT_GT(seen.size(), 990u);
}

TEST(SystemRandomTest, FillsDifferently) {
  std::array<std::uint8_t, 20> first{};
  std::array<std::uint8_t, 20> second{};
  SystemRandom().Fill(first);
  SystemRandom().Fill(second);
  EXPECT_NE(first, second);
  SystemRandom().Fill({});
}

TEST(SystemClockTest, MonotonicNeverGoesBack) {
  absl::Duration last = SystemClock().Monotonic();
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration now = SystemClock().Monotonic();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(FakeRandomTest, FollowsItsScriptThenStaysInTheMiddle) {
  FakeRandom random({0.1, 0.9});
  EXPECT_EQ(random.Unit(), 0.1);
  EXPECT_EQ(random.Unit(), 0.9);
  EXPECT_EQ(random.Unit(), 0.5);
}

TEST(FakeRandomTest, FillsAreNeverEqual) {
  FakeRandom random;
  std::set<std::array<std::uint8_t, 12>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::uint8_t, 12> bytes{};
    random.Fill(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(FakeClockTest, JumpsOfTheWallDoNotMoveTheMonotonicClock) {
  FakeClock clock;
  const Instant start = clock.Read();
  clock.JumpWall(-absl::Hours(5));
  EXPECT_EQ(clock.Now(), start.wall - absl::Hours(5));
  EXPECT_EQ(clock.Monotonic(), start.mono);
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(clock.Now(), start.wall - absl::Hours(5) + absl::Seconds(3));
  EXPECT_EQ(clock.Monotonic(), start.mono + absl::Seconds(3));
}

}  // namespace
}  // namespace poller
