#include "core/delivery/receiver_leg.h"

#include <gtest/gtest.h>

namespace poller {
namespace {

using Kind = ReceiverLeg::Permit::Kind;

class ReceiverLegTest : public testing::Test {
 protected:
  Instant Now() const { return now_; }
  void Pass(absl::Duration time) {
    now_.wall += time;
    now_.mono += time;
  }
  ReceiverLeg::Permit Ask() const { return leg_.Ask(now_, 8); }
  AttemptVerdict Verdict(int status, std::optional<std::string_view> retry_after = {}) const {
    return ClassifyAnswer(status, retry_after, std::nullopt, now_.wall, absl::Hours(1));
  }
  // A whole request: its hold, if any.
  absl::Duration End(const ReceiverLeg::Ticket& ticket, const AttemptVerdict& verdict,
                     bool blamed = false) {
    const absl::Duration hold = leg_.Answered(ticket, verdict, now_, 0.5);
    leg_.Resolved(ticket, verdict, blamed, now_, 0.5, "x");
    return hold;
  }
  absl::Duration Send(int status, bool blamed = false) {
    return End(leg_.Start(now_), Verdict(status), blamed);
  }
  void Probe(int status, bool blamed = false) {
    End(leg_.StartProbe(now_), Verdict(status), blamed);
  }
  void OpenBreaker() {
    for (int i = 0; i < 5; ++i) Send(500);
  }
  BreakerState Breaker() const { return leg_.breaker().state; }

  Instant now_{absl::FromUnixSeconds(1768473000), absl::Seconds(1000)};
  ReceiverLeg leg_{ReceiverLegOptions{}, BreakerRecord{}, std::nullopt, now_};
};

TEST_F(ReceiverLegTest, AWellReceiverGetsTheFullRate) {
  EXPECT_EQ(Ask().kind, Kind::kOpen);
  EXPECT_EQ(Ask().limit, 8);
}

TEST_F(ReceiverLegTest, FiveServerErrorsOpenTheBreaker) {
  OpenBreaker();
  EXPECT_EQ(Ask().kind, Kind::kHeld);
  EXPECT_EQ(Ask().wait, absl::Seconds(120));
}

TEST_F(ReceiverLegTest, ServerErrorsThatAreTheOrdersFaultDoNotOpenIt) {
  for (int i = 0; i < 20; ++i) Send(500, /*blamed=*/true);
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

TEST_F(ReceiverLegTest, RefusedOrdersNeverOpenIt) {
  for (int i = 0; i < 20; ++i) Send(400);
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

TEST_F(ReceiverLegTest, RateLimitsNeverOpenIt) {
  for (int i = 0; i < 20; ++i) {
    Send(429);
    Pass(absl::Hours(1));
  }
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

TEST_F(ReceiverLegTest, HalfOpenAllowsOneProbe) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  ASSERT_EQ(Ask().kind, Kind::kProbe);
  leg_.StartProbe(now_);
  EXPECT_EQ(Ask().kind, Kind::kHeld);
  EXPECT_EQ(Ask().wait, absl::InfiniteDuration());
}

TEST_F(ReceiverLegTest, TwoProbesCloseItAndTheRateIsRamped) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  Probe(200);
  Probe(200);
  EXPECT_EQ(Ask().kind, Kind::kOpen);
  EXPECT_EQ(Ask().limit, 1);
  Send(200);
  EXPECT_EQ(Ask().limit, 2);
}

TEST_F(ReceiverLegTest, AProbeThatIsRefusedForItsOrderIsASuccess) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  Probe(422);
  Probe(400);
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
}

TEST_F(ReceiverLegTest, AProbeWithAServerErrorThatIsItsOrdersFaultSaysNothing) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  Probe(500, /*blamed=*/true);
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
  EXPECT_EQ(Ask().kind, Kind::kProbe);
}

TEST_F(ReceiverLegTest, AProbeThatIsRateLimitedSaysNothing) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  Probe(429);
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
  EXPECT_EQ(Ask().why, "retry_after");
}

TEST_F(ReceiverLegTest, AnAbandonedProbeMakesRoomForAnother) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  leg_.Abandoned(leg_.StartProbe(now_));
  EXPECT_EQ(Ask().kind, Kind::kProbe);
}

TEST_F(ReceiverLegTest, ALateAnswerFromBeforeTheOpeningIsNotTakenForTheProbes) {
  const ReceiverLeg::Ticket early = leg_.Start(now_);
  OpenBreaker();
  Pass(absl::Seconds(120));
  leg_.StartProbe(now_);
  End(early, Verdict(500));
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
  End(early, Verdict(200));
  EXPECT_EQ(leg_.breaker().successes, 0);
}

TEST_F(ReceiverLegTest, AForcedDeliveryIsNotTakenForAProbe) {
  OpenBreaker();
  Send(200);
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
  Pass(absl::Seconds(120));
  leg_.StartProbe(now_);
  Send(500);
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
}

TEST_F(ReceiverLegTest, RetryAfterHoldsTheLeg) {
  EXPECT_EQ(End(leg_.Start(now_), Verdict(503, "42")), absl::Seconds(42));
  EXPECT_EQ(Ask().kind, Kind::kHeld);
  EXPECT_EQ(Ask().wait, absl::Seconds(42));
  Pass(absl::Seconds(42));
  EXPECT_EQ(Ask().kind, Kind::kOpen);
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

TEST_F(ReceiverLegTest, AShorterRetryAfterDoesNotEndALongerOne) {
  End(leg_.Start(now_), Verdict(429, "100"));
  End(leg_.Start(now_), Verdict(429, "10"));
  EXPECT_EQ(Ask().wait, absl::Seconds(100));
}

TEST_F(ReceiverLegTest, RateLimitsBackOffByRounds) {
  // Eight in flight at once are one round.
  const ReceiverLeg::Ticket first = leg_.Start(now_);
  const ReceiverLeg::Ticket second = leg_.Start(now_);
  Pass(absl::Seconds(1));
  EXPECT_EQ(End(first, Verdict(429)), absl::Seconds(30));
  EXPECT_EQ(End(second, Verdict(429)), absl::Seconds(30));
  Pass(absl::Seconds(30));
  EXPECT_EQ(Send(429), absl::Seconds(60));
  Pass(absl::Seconds(60));
  EXPECT_EQ(Send(200), absl::ZeroDuration());
  EXPECT_EQ(Send(429), absl::Seconds(30));
}

TEST_F(ReceiverLegTest, GonePausesAndProbesEveryQuarterOfAnHour) {
  Send(410);
  EXPECT_EQ(leg_.gone_since(), now_.wall);
  EXPECT_EQ(Ask().wait, absl::Minutes(15));
  Pass(absl::Minutes(15));
  ASSERT_EQ(Ask().kind, Kind::kProbe);
  const ReceiverLeg::Ticket probe = leg_.StartProbe(now_);
  EXPECT_EQ(Ask().wait, absl::InfiniteDuration());
  End(probe, Verdict(410));
  EXPECT_EQ(Ask().wait, absl::Minutes(15));
  EXPECT_EQ(leg_.gone_since(), now_.wall - absl::Minutes(15));
}

TEST_F(ReceiverLegTest, AnAnswerEndsGone) {
  Send(410);
  Pass(absl::Minutes(15));
  Probe(200);
  EXPECT_FALSE(leg_.gone_since().has_value());
  EXPECT_EQ(Ask().kind, Kind::kOpen);
}

TEST_F(ReceiverLegTest, ASilentReceiverStaysGone) {
  Send(410);
  Pass(absl::Minutes(15));
  End(leg_.StartProbe(now_), ClassifyTransportFailure(TransportFailure::kConnect));
  EXPECT_TRUE(leg_.gone_since().has_value());
  EXPECT_EQ(Ask().wait, absl::Minutes(15));
}

TEST_F(ReceiverLegTest, AGoneThatIsOneOrdersFaultPausesNothing) {
  Send(410, /*blamed=*/true);
  EXPECT_EQ(Ask().kind, Kind::kOpen);
}

TEST_F(ReceiverLegTest, ContinuesAStoredGone) {
  const ReceiverLeg leg(ReceiverLegOptions{}, BreakerRecord{}, now_.wall - absl::Minutes(5), now_);
  EXPECT_EQ(leg.Ask(now_, 8).wait, absl::Minutes(10));
  const ReceiverLeg future(ReceiverLegOptions{}, BreakerRecord{}, now_.wall + absl::Hours(5), now_);
  EXPECT_EQ(future.Ask(now_, 8).wait, absl::Minutes(15));
}

TEST_F(ReceiverLegTest, ResetEndsEverything) {
  OpenBreaker();
  End(leg_.Start(now_), Verdict(429, "100"));
  Send(410);
  leg_.Reset();
  EXPECT_EQ(Ask().kind, Kind::kOpen);
  EXPECT_EQ(Ask().limit, 8);
  EXPECT_FALSE(leg_.gone_since().has_value());
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

TEST_F(ReceiverLegTest, AProbeFromBeforeAResetDoesNotCountBehindIt) {
  OpenBreaker();
  Pass(absl::Seconds(120));
  const ReceiverLeg::Ticket probe = leg_.StartProbe(now_);
  leg_.Reset();
  End(probe, Verdict(500));
  EXPECT_EQ(leg_.breaker(), BreakerRecord{});
}

}  // namespace
}  // namespace poller
