#include "core/model/circuit_breaker.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace poller {
namespace {

constexpr double kMiddle = 0.5;  // no jitter

// What a breaker is asked, at which time, and what it must answer.
class CircuitBreakerTest : public testing::Test {
 protected:
  Instant At(double seconds) const {
    return {start_.wall + absl::Seconds(seconds), start_.mono + absl::Seconds(seconds)};
  }
  void Fail(CircuitBreaker& breaker, int times, double at = 0) const {
    for (int i = 0; i < times; ++i) breaker.RecordFailure(At(at), kMiddle, "HTTP 500");
  }
  // Opened at second 0: half-open from second 120 on.
  CircuitBreaker Open() const {
    CircuitBreaker breaker(options_);
    Fail(breaker, 5);
    return breaker;
  }
  CircuitBreaker HalfOpen() const {
    CircuitBreaker breaker = Open();
    breaker.Admit(At(120));
    breaker.Abandon();
    return breaker;
  }

  BreakerOptions options_;
  Instant start_{absl::FromUnixSeconds(1'768'473'000), absl::Seconds(5000)};
};

TEST_F(CircuitBreakerTest, ASuccessWhileClosedForgetsTheFailures) {
  CircuitBreaker breaker(options_);
  Fail(breaker, 4);
  breaker.RecordSuccess(At(1));
  EXPECT_EQ(breaker.record(), BreakerRecord{});
  Fail(breaker, 4);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, StaysClosedBelowTheLimitAndCounts) {
  CircuitBreaker breaker(options_);
  Fail(breaker, 4);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_EQ(breaker.record().failures, 4);
  EXPECT_EQ(breaker.record().last_error, "HTTP 500");
  EXPECT_TRUE(breaker.Admit(At(0)).admitted);
  EXPECT_FALSE(breaker.Admit(At(0)).probe);
}

TEST_F(CircuitBreakerTest, OpensWithTheFifthFailureInARow) {
  CircuitBreaker breaker(options_);
  Fail(breaker, 5, 7);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker.record().opened_at, At(7).wall);
  EXPECT_EQ(breaker.record().retry_at, At(127).wall);
}

TEST_F(CircuitBreakerTest, SpreadsTheWaitByItsJitter) {
  for (const auto& [unit, seconds] :
       std::vector<std::pair<double, double>>{{0, 108}, {0.75, 126}}) {
    CircuitBreaker breaker(options_);
    Fail(breaker, 4);
    breaker.RecordFailure(At(0), unit, "x");
    EXPECT_EQ(breaker.Peek(At(0)).wait, absl::Seconds(seconds)) << unit;
  }
}

TEST_F(CircuitBreakerTest, RefusesWhileOpenAndSaysHowLong) {
  CircuitBreaker breaker = Open();
  const CircuitBreaker::Admission admission = breaker.Admit(At(50));
  EXPECT_FALSE(admission.admitted);
  EXPECT_EQ(admission.wait, absl::Seconds(70));
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, AdmitsAProbeWhenTheWaitIsOver) {
  CircuitBreaker breaker = Open();
  const CircuitBreaker::Admission admission = breaker.Admit(At(120));
  EXPECT_TRUE(admission.admitted);
  EXPECT_TRUE(admission.probe);
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
}

TEST_F(CircuitBreakerTest, PeekingChangesNothing) {
  CircuitBreaker breaker = Open();
  EXPECT_TRUE(breaker.Peek(At(120)).probe);
  EXPECT_TRUE(breaker.Peek(At(120)).admitted);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, RefusesASecondProbe) {
  CircuitBreaker breaker = Open();
  breaker.Admit(At(120));
  const CircuitBreaker::Admission second = breaker.Admit(At(500));
  EXPECT_FALSE(second.admitted);
  EXPECT_EQ(second.wait, absl::InfiniteDuration());
}

TEST_F(CircuitBreakerTest, AdmitsAnotherProbeAfterOneIsAbandoned) {
  CircuitBreaker breaker = HalfOpen();
  EXPECT_TRUE(breaker.Admit(At(121)).probe);
}

TEST_F(CircuitBreakerTest, OneSuccessIsNotEnoughToClose) {
  CircuitBreaker breaker = HalfOpen();
  breaker.Admit(At(121));
  breaker.RecordSuccess(At(122));
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_EQ(breaker.record().successes, 1);
  EXPECT_TRUE(breaker.Admit(At(122)).probe);
}

TEST_F(CircuitBreakerTest, ClosesWithTheSecondSuccess) {
  CircuitBreaker breaker = HalfOpen();
  for (int i = 0; i < 2; ++i) {
    breaker.Admit(At(121));
    breaker.RecordSuccess(At(122));
  }
  EXPECT_EQ(breaker.record(), BreakerRecord{});
}

TEST_F(CircuitBreakerTest, OpensAgainWithOneFailureOfAProbe) {
  CircuitBreaker breaker = HalfOpen();
  breaker.Admit(At(121));
  breaker.RecordSuccess(At(122));
  breaker.Admit(At(122));
  breaker.RecordFailure(At(123), kMiddle, "HTTP 502");
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker.record().retry_at, At(243).wall);
  EXPECT_EQ(breaker.record().last_error, "HTTP 502");
  // The successes before the failure do not count for the next probe.
  breaker.Admit(At(243));
  breaker.RecordSuccess(At(244));
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
}

TEST_F(CircuitBreakerTest, ResetClosesFromEveryState) {
  CircuitBreaker closed(options_);
  Fail(closed, 3);
  CircuitBreaker open = Open();
  CircuitBreaker half_open = Open();
  half_open.Admit(At(120));
  for (CircuitBreaker* breaker : {&closed, &open, &half_open}) {
    breaker->Reset();
    EXPECT_EQ(breaker->record(), BreakerRecord{});
    EXPECT_FALSE(breaker->Admit(At(121)).probe);
    EXPECT_EQ(breaker->Ramp(8), 8);
  }
}

TEST_F(CircuitBreakerTest, ResultsOfRequestsFromBeforeItOpenedChangeNothing) {
  CircuitBreaker breaker = Open();
  const BreakerRecord opened = breaker.record();
  breaker.RecordSuccess(At(1));
  breaker.RecordFailure(At(60), kMiddle, "late");
  EXPECT_EQ(breaker.record(), opened);
}

TEST_F(CircuitBreakerTest, RampsTheRateAfterClosing) {
  CircuitBreaker breaker = HalfOpen();
  for (int i = 0; i < 2; ++i) {
    breaker.Admit(At(121));
    breaker.RecordSuccess(At(121));
  }
  std::vector<int> calls;
  for (int i = 0; i < 5; ++i) {
    calls.push_back(breaker.Ramp(8));
    breaker.RecordSuccess(At(122));
  }
  EXPECT_EQ(calls, (std::vector<int>{1, 2, 4, 8, 8}));
}

TEST_F(CircuitBreakerTest, DoesNotRampBeforeItEverOpened) {
  CircuitBreaker breaker(options_);
  EXPECT_EQ(breaker.Ramp(8), 8);
}

TEST_F(CircuitBreakerTest, RampNeverEndsBelowFull) {
  CircuitBreaker breaker = HalfOpen();
  for (int i = 0; i < 2; ++i) {
    breaker.Admit(At(121));
    breaker.RecordSuccess(At(121));
  }
  for (int i = 0; i < 100; ++i) breaker.RecordSuccess(At(122));
  EXPECT_EQ(breaker.Ramp(4096), 4096);
}

// --- what was stored by another run, whose monotonic clock means nothing here ---

TEST_F(CircuitBreakerTest, ContinuesTheRestOfAStoredWait) {
  const CircuitBreaker before = Open();
  const Instant restart{At(50).wall, absl::Seconds(3)};
  CircuitBreaker breaker(options_, before.record(), restart);
  EXPECT_EQ(breaker.Peek(restart).wait, absl::Seconds(70));
  EXPECT_TRUE(breaker.Admit({restart.wall, restart.mono + absl::Seconds(70)}).probe);
}

TEST_F(CircuitBreakerTest, AStoredWaitNeverGrowsWithAClockThatWasSetBack) {
  const CircuitBreaker before = Open();
  const Instant restart{At(-86'400).wall, absl::Seconds(3)};
  CircuitBreaker breaker(options_, before.record(), restart);
  EXPECT_EQ(breaker.Peek(restart).wait, absl::Seconds(132));  // 120 s and its jitter
}

TEST_F(CircuitBreakerTest, AStoredWaitThatIsOverAdmitsAProbeAtOnce) {
  const CircuitBreaker before = Open();
  const Instant restart{At(86'400).wall, absl::Seconds(3)};
  CircuitBreaker breaker(options_, before.record(), restart);
  EXPECT_TRUE(breaker.Admit(restart).probe);
}

TEST_F(CircuitBreakerTest, SurvivesAnAbsurdStoredTime) {
  BreakerRecord record = Open().record();
  record.retry_at = absl::InfiniteFuture();
  CircuitBreaker far(options_, record, At(0));
  EXPECT_EQ(far.Peek(At(0)).wait, absl::Seconds(132));
  record.retry_at = absl::InfinitePast();
  CircuitBreaker past(options_, record, At(0));
  EXPECT_TRUE(past.Peek(At(0)).admitted);
}

TEST_F(CircuitBreakerTest, ForgetsAProbeThatWasOutAtTheCrash) {
  CircuitBreaker before = Open();
  before.Admit(At(120));
  CircuitBreaker breaker(options_, before.record(), At(125));
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_TRUE(breaker.Admit(At(125)).probe);
}

TEST_F(CircuitBreakerTest, KeepsCountingStoredFailures) {
  CircuitBreaker before(options_);
  Fail(before, 4);
  CircuitBreaker breaker(options_, before.record(), At(10));
  Fail(breaker, 1, 11);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, AWallClockThatJumpsChangesNoWait) {
  CircuitBreaker breaker = Open();
  const absl::Duration mono = At(60).mono;
  for (const double jump : {-1e6, 1e6}) {
    EXPECT_EQ(breaker.Peek({At(jump).wall, mono}).wait, absl::Seconds(60)) << jump;
  }
}

}  // namespace
}  // namespace poller
