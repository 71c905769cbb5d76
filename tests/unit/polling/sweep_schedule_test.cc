// When the next sweep is due.
#include "core/polling/sweep_schedule.h"

#include <gtest/gtest.h>

namespace poller {
namespace {

constexpr absl::Duration kNow = absl::Hours(100);  // of the monotonic clock
const absl::Time kMark = absl::FromUnixSeconds(1'000'000);

ConnectionState Begun(absl::Duration since_start) {
  ConnectionState state;
  state.mark = kMark;
  state.started = kMark - since_start;
  return state;
}

ConnectionState Swept(absl::Duration since_sweep) {
  ConnectionState state = Begun(absl::Hours(1000));
  state.sweep_mark = kMark - since_sweep;
  return state;
}

absl::Duration WaitOf(const ConnectionState& state, double unit) {
  SweepSchedule schedule({.interval = absl::Hours(1), .jitter = 0.1});
  schedule.Place(state, kNow, unit);
  return schedule.Wait(kNow);
}

TEST(SweepScheduleTest, NothingIsDueBeforeTheConnectionHasBegun) {
  SweepSchedule schedule({});
  EXPECT_EQ(schedule.Wait(kNow), absl::InfiniteDuration());
  EXPECT_FALSE(schedule.NeedsPlace(ConnectionState()));
  EXPECT_TRUE(schedule.NeedsPlace(Begun(absl::ZeroDuration())));
}

TEST(SweepScheduleTest, FirstOneComesAnIntervalAfterTheStart) {
  EXPECT_EQ(WaitOf(Begun(absl::ZeroDuration()), 0.5), absl::Hours(1));
  EXPECT_EQ(WaitOf(Begun(absl::Minutes(20)), 0.5), absl::Minutes(40));
}

TEST(SweepScheduleTest, ARestartDoesNotDelayIt) {
  EXPECT_EQ(WaitOf(Swept(absl::Minutes(50)), 0.5), absl::Minutes(10));
}

TEST(SweepScheduleTest, OverdueOnesAreSpreadOverAQuarterOfTheInterval) {
  EXPECT_EQ(WaitOf(Swept(absl::Hours(30)), 0), absl::ZeroDuration());
  EXPECT_EQ(WaitOf(Swept(absl::Hours(30)), 0.5), absl::Minutes(7.5));
  EXPECT_EQ(WaitOf(Swept(absl::Hours(30)), 0.999), absl::Minutes(15) * 0.999);
}

TEST(SweepScheduleTest, AMarkOfTheFutureWaitsAnIntervalAtMost) {
  // Odoo's clock was set back by a day since.
  EXPECT_EQ(WaitOf(Swept(-absl::Hours(24)), 0.5), absl::Hours(1));
}

TEST(SweepScheduleTest, NextOneComesAnIntervalAfterTheStartOfTheLast) {
  SweepSchedule schedule({.interval = absl::Hours(1), .jitter = 0.1});
  schedule.Ended(/*complete=*/true, kNow - absl::Minutes(15), kNow, 0.5);
  EXPECT_EQ(schedule.Wait(kNow), absl::Minutes(45));
  schedule.Ended(/*complete=*/true, kNow, kNow, 0);
  EXPECT_EQ(schedule.Wait(kNow), absl::Minutes(54)) << "jitter";
  schedule.Ended(/*complete=*/true, kNow - absl::Hours(3), kNow, 0.5);
  EXPECT_EQ(schedule.Wait(kNow), absl::ZeroDuration()) << "it took longer than the interval";
}

TEST(SweepScheduleTest, AFailedOneIsTriedAgainAfterATwelfthOfTheInterval) {
  SweepSchedule schedule({.interval = absl::Hours(1), .jitter = 0.1});
  schedule.Ended(/*complete=*/false, kNow - absl::Minutes(15), kNow, 0.5);
  EXPECT_EQ(schedule.Wait(kNow), absl::Minutes(5));
}

TEST(SweepScheduleTest, AHoldHurriesItAndAMoveForgetsIt) {
  SweepSchedule schedule({});
  schedule.Place(Begun(absl::ZeroDuration()), kNow, 0.5);
  EXPECT_FALSE(schedule.NeedsPlace(Begun(absl::ZeroDuration()))) << "placed once a run";
  schedule.Hurry(kNow);
  EXPECT_EQ(schedule.Wait(kNow), absl::ZeroDuration());
  EXPECT_EQ(schedule.Wait(kNow + absl::Hours(5)), absl::ZeroDuration()) << "never negative";
  schedule.Forget();
  EXPECT_EQ(schedule.Wait(kNow), absl::InfiniteDuration());
  EXPECT_TRUE(schedule.NeedsPlace(Begun(absl::ZeroDuration())));
}

}  // namespace
}  // namespace poller
