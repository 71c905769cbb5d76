// An executable of its own: signals go to the process, and no thread may stand by that does not
// block them.
#include "server/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace poller {
namespace {

TEST(StopSignalsTest, CountsThem) {
  StopSignals signals;
  EXPECT_EQ(signals.count(), 0);
  kill(getpid(), SIGTERM);
  signals.WaitFor(1);
  kill(getpid(), SIGINT);
  signals.WaitFor(2);
  EXPECT_EQ(signals.count(), 2);
}

TEST(StopSignalsTest, OutlivesAPeerThatHangsUp) {
  StopSignals signals;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

TEST(StopSignalsDeathTest, TheThirdEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        StopSignals signals;
        for (int i = 1; i < 3; ++i) {
          kill(getpid(), SIGTERM);
          signals.WaitFor(i);
        }
        kill(getpid(), SIGTERM);
        signals.WaitFor(4);
      },
      testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace poller
