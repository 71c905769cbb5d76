#include "server/rpc/wrong_tokens.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace poller::rpc {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr absl::Duration kNow = absl::Hours(5);

class WrongTokensTest : public testing::Test {
 protected:
  std::vector<absl::Duration> Fail(const std::string& origin, int times,
                                   absl::Duration now = kNow) {
    std::vector<absl::Duration> waits;
    for (int i = 0; i < times; ++i) waits.push_back(wrong.Failed(origin, now));
    return waits;
  }
  WrongTokens wrong{absl::Seconds(1)};
};

TEST_F(WrongTokensTest, TheFirstCostNothing) {
  EXPECT_THAT(Fail("a", WrongTokens::kFree), Each(absl::ZeroDuration()));
}

TEST_F(WrongTokensTest, ThenEachWaitsLongerUpToTheLongest) {
  Fail("a", WrongTokens::kFree);
  EXPECT_THAT(Fail("a", 6),
              ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200), absl::Milliseconds(400),
                          absl::Milliseconds(800), absl::Seconds(1), absl::Seconds(1)));
}

TEST_F(WrongTokensTest, OthersAreNotSlowed) {
  Fail("a", 20);
  EXPECT_THAT(Fail("b", 1), ElementsAre(absl::ZeroDuration()));
}

TEST_F(WrongTokensTest, IsForgottenAfterAQuietTime) {
  Fail("a", 20);
  EXPECT_THAT(Fail("a", 1, kNow + WrongTokens::kForgotten), ElementsAre(absl::ZeroDuration()));
}

TEST_F(WrongTokensTest, ManyFailuresDoNotOverflow) {
  EXPECT_EQ(Fail("a", 10000).back(), absl::Seconds(1));
}

TEST_F(WrongTokensTest, RemembersABoundedNumberAndForgetsTheQuietest) {
  Fail("first", 20);
  Fail("second", 20);
  Fail("first", 1);
  for (std::size_t i = 0; i + 1 < WrongTokens::kMaxOrigins; ++i) Fail("x" + std::to_string(i), 1);
  EXPECT_THAT(Fail("first", 1), ElementsAre(absl::Seconds(1)));
  EXPECT_THAT(Fail("second", 1), ElementsAre(absl::ZeroDuration()));
}

TEST(OriginOfTest, IsTheMachineAndNotItsPort) {
  EXPECT_EQ(OriginOf("ipv4:10.0.0.7:40000"), "ipv4:10.0.0.7");
  EXPECT_EQ(OriginOf("unix:"), "unix");
  EXPECT_EQ(OriginOf("unix:/run/pollerd.sock"), "unix");
  EXPECT_EQ(OriginOf(""), "");
}

TEST(OriginOfTest, IsTheNetworkOfAnIpv6Address) {
  EXPECT_EQ(OriginOf("ipv6:[2001:db8:0:1:aaaa:bbbb:cccc:dddd]:40000"), "ipv6:2001:db8:0:1");
  EXPECT_EQ(OriginOf("ipv6:%5B2001:db8:0:1:1:2:3:4%5D:40000"), "ipv6:2001:db8:0:1");
  EXPECT_EQ(OriginOf("ipv6:[::1]:40000"), OriginOf("ipv6:[::1]:40001"));
}

}  // namespace
}  // namespace poller::rpc
