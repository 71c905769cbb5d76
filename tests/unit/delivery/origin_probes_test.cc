#include "core/delivery/origin_probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace poller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OriginProbesTest : public testing::Test {
 protected:
  bool Ask(int connection, const std::string& origin = "https://a") {
    return probes_.TryAcquire(origin, ConnectionId(connection),
                              [this, connection] { turns_.push_back(connection); });
  }
  void End(int connection) { probes_.Release("https://a", ConnectionId(connection)); }
  void Leave(int connection) { probes_.Leave("https://a", ConnectionId(connection)); }

  OriginProbes probes_;
  std::vector<int> turns_;
};

TEST_F(OriginProbesTest, IsOneAtATimeToEachOrigin) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  EXPECT_TRUE(Ask(3, "https://b"));
  End(1);
  EXPECT_TRUE(Ask(2));
}

TEST_F(OriginProbesTest, WakesThoseThatWaitOneByOneInTheirOrder) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  EXPECT_FALSE(Ask(3));
  EXPECT_FALSE(Ask(2));  // keeps its place
  End(1);
  EXPECT_THAT(turns_, ElementsAre(2));
  EXPECT_TRUE(Ask(2));
  End(2);
  EXPECT_THAT(turns_, ElementsAre(2, 3));
}

TEST_F(OriginProbesTest, NobodyComesBeforeTheOneWhoseTurnItIs) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  End(1);
  EXPECT_FALSE(Ask(1));
  EXPECT_FALSE(Ask(3));
  EXPECT_TRUE(Ask(2));
  End(2);
  EXPECT_THAT(turns_, ElementsAre(2, 1));
}

TEST_F(OriginProbesTest, WhoLeavesTheQueueIsNotWoken) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  EXPECT_FALSE(Ask(3));
  Leave(2);
  End(1);
  EXPECT_THAT(turns_, ElementsAre(3));
}

TEST_F(OriginProbesTest, ATurnThatIsNotTakenGoesToTheNext) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  EXPECT_FALSE(Ask(3));
  End(1);
  Leave(2);
  EXPECT_THAT(turns_, ElementsAre(2, 3));
  Leave(3);
  EXPECT_TRUE(Ask(4));
}

TEST_F(OriginProbesTest, LeavingEndsNoProbeThatIsOut) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  Leave(1);
  EXPECT_THAT(turns_, IsEmpty());
  EXPECT_FALSE(Ask(3));
}

TEST_F(OriginProbesTest, OnlyTheOneThatHasTheProbeEndsIt) {
  EXPECT_TRUE(Ask(1));
  EXPECT_FALSE(Ask(2));
  End(2);
  End(3);
  EXPECT_THAT(turns_, IsEmpty());
}

}  // namespace
}  // namespace poller
