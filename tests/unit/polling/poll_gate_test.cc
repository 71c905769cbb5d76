#include "core/polling/poll_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/status.h"
#include "core/odoo/error_kind.h"
#include "core/polling/pass_verdict.h"

namespace poller {
namespace {

using odoo::ErrorKind;
using testing::HasSubstr;

constexpr absl::Duration kSecond = absl::Seconds(1);

// --- verdicts ---

TEST(JudgePassTest, FollowsFromTheKindOfError) {
  EXPECT_EQ(JudgePass(absl::OkStatus(), false).breaker, BreakerEffect::kSuccess);
  for (const ErrorKind kind :
       {ErrorKind::kServerDown, ErrorKind::kGarbage, ErrorKind::kDatabaseMissing,
        ErrorKind::kTooMuch, ErrorKind::kQuery, ErrorKind::kProtocolGone}) {
    const PassVerdict verdict = JudgePass(odoo::MakeError(kind, "x"), false);
    EXPECT_EQ(verdict.breaker, BreakerEffect::kFailure) << odoo::ErrorKindName(kind);
    EXPECT_EQ(verdict.suspend_reason, "") << odoo::ErrorKindName(kind);
  }
}

TEST(JudgePassTest, SecondRefusalOfTheCredentialsInARowSuspends) {
  const absl::Status refused = odoo::MakeError(ErrorKind::kCredentials, "the key is not accepted");
  const PassVerdict first = JudgePass(refused, false);
  EXPECT_EQ(first.suspend_reason, "");
  EXPECT_EQ(first.breaker, BreakerEffect::kNone);
  const PassVerdict second = JudgePass(refused, first.credentials_refused);
  EXPECT_EQ(second.suspend_reason, "credentials");
  EXPECT_THAT(second.suspend_message, HasSubstr("the key is not accepted"));
  EXPECT_THAT(second.suspend_message, HasSubstr("API key"));
  EXPECT_FALSE(JudgePass(absl::OkStatus(), true).credentials_refused);
  EXPECT_TRUE(JudgePass(absl::UnavailableError("our disk"), true).credentials_refused);
}

TEST(JudgePassTest, LostRightsAndMissingFieldsSuspendAtOnce) {
  EXPECT_EQ(JudgePass(odoo::MakeError(ErrorKind::kRights, "x"), false).suspend_reason, "rights");
  EXPECT_EQ(
      JudgePass(WithReason(odoo::MakeError(ErrorKind::kQuery, "no default_code"), "fields"), false)
          .suspend_reason,
      "fields");
}

TEST(JudgePassTest, RateLimitOnlyDelays) {
  const PassVerdict verdict =
      JudgePass(odoo::MakeError(ErrorKind::kRateLimited, "x", absl::Seconds(90)), false);
  EXPECT_EQ(verdict.hold, absl::Seconds(90));
  EXPECT_EQ(verdict.breaker, BreakerEffect::kNone);
}

TEST(JudgePassTest, OurOwnWantOnlyDelays) {
  const PassVerdict verdict = JudgePass(odoo::MakeError(ErrorKind::kLocal, "no memory"), false);
  EXPECT_EQ(verdict.hold, absl::Seconds(10));
  EXPECT_EQ(verdict.breaker, BreakerEffect::kNone);
  EXPECT_EQ(verdict.suspend_reason, "");
}

// --- the rhythm ---

TEST(NextStartTest, CountsFromStartToStart) {
  const absl::Duration minute = absl::Minutes(1);
  EXPECT_EQ(NextStart(100 * kSecond, 103 * kSecond, minute, 0.1, 0.5), 160 * kSecond);
  EXPECT_EQ(NextStart(100 * kSecond, 103 * kSecond, minute, 0.1, 0), 154 * kSecond);
  EXPECT_EQ(NextStart(100 * kSecond, 103 * kSecond, minute, 0.1, 1), 166 * kSecond);
}

TEST(NextStartTest, LeavesOutTicksThatPassedMeanwhile) {
  EXPECT_EQ(NextStart(100 * kSecond, 250 * kSecond, absl::Minutes(1), 0, 0.5), 280 * kSecond);
  EXPECT_EQ(NextStart(100 * kSecond, 160 * kSecond, absl::Minutes(1), 0, 0.5), 220 * kSecond);
}

// --- the gate ---

class PollGateTest : public testing::Test {
 protected:
  PollGateTest() {
    connection_.connection.settings.interval = absl::Minutes(1);
    gate_.Load(connection_, now_);
  }
  absl::Duration Wait() { return gate_.Wait(connection_, now_); }
  void Advance(absl::Duration duration) {
    now_.wall += duration;
    now_.mono += duration;
  }
  void Load() { gate_.Load(connection_, now_); }
  PassVerdict RunPass(const absl::Status& end, bool forced = false) {
    gate_.Begin(now_, forced);
    return gate_.End(end, connection_.connection.settings, now_, 0.5, 0.5);
  }
  void Suspend() {
    connection_.state.suspension = Suspension{"credentials", "x", now_.wall};
    Load();
  }

  const absl::Status down_ = odoo::MakeError(ErrorKind::kServerDown, "x");
  PollingOptions options_;
  Instant now_{absl::UnixEpoch() + absl::Hours(500000), absl::Seconds(1000)};
  ConnectionWithState connection_;
  PollGate gate_{options_};
};

TEST_F(PollGateTest, RunsAtOnceThenEveryInterval) {
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  RunPass(absl::OkStatus());
  EXPECT_EQ(Wait(), absl::Minutes(1));
  Advance(absl::Seconds(59));
  EXPECT_EQ(Wait(), absl::Seconds(1));
}

TEST_F(PollGateTest, PausedWaitsForANotice) {
  connection_.connection.settings.paused_polling = true;
  EXPECT_EQ(Wait(), absl::InfiniteDuration());
}

TEST_F(PollGateTest, RetryAfterHoldsEvenWhenSomebodyHurries) {
  RunPass(odoo::MakeError(ErrorKind::kRateLimited, "x", absl::Seconds(300)));
  EXPECT_EQ(Wait(), absl::Seconds(300));
  gate_.Hurry(now_);
  EXPECT_EQ(Wait(), absl::Seconds(300));
  RunPass(absl::OkStatus(), /*forced=*/true);
  EXPECT_EQ(Wait(), absl::Minutes(1));
}

TEST_F(PollGateTest, BreakerOpensAfterFiveFailuresAndProbes) {
  for (int i = 0; i < 5; ++i) RunPass(down_);
  EXPECT_EQ(gate_.breaker().state, BreakerState::kOpen);
  EXPECT_EQ(Wait(), absl::Seconds(120));
  Advance(absl::Seconds(120));
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  RunPass(absl::OkStatus());
  EXPECT_EQ(gate_.breaker().state, BreakerState::kHalfOpen);
  EXPECT_EQ(Wait(), absl::Minutes(1));
  Advance(absl::Minutes(1));
  RunPass(absl::OkStatus());
  EXPECT_EQ(gate_.breaker().state, BreakerState::kClosed);
}

TEST_F(PollGateTest, ForcedPassThatSucceedsClosesTheBreaker) {
  for (int i = 0; i < 5; ++i) RunPass(down_);
  RunPass(down_, /*forced=*/true);
  EXPECT_EQ(gate_.breaker().state, BreakerState::kOpen);
  RunPass(absl::OkStatus(), /*forced=*/true);
  EXPECT_EQ(gate_.breaker().state, BreakerState::kClosed);
}

TEST_F(PollGateTest, InterruptedProbeIsGivenBack) {
  for (int i = 0; i < 5; ++i) RunPass(down_);
  Advance(absl::Minutes(3));
  gate_.Begin(now_, false);
  gate_.Interrupted();
  EXPECT_EQ(Wait(), absl::ZeroDuration());
}

TEST_F(PollGateTest, SuspendedIsProbedEveryQuarterOfAnHour) {
  const absl::Status refused = odoo::MakeError(ErrorKind::kCredentials, "x");
  RunPass(refused);
  EXPECT_EQ(RunPass(refused).suspend_reason, "credentials");
  Suspend();
  EXPECT_EQ(Wait(), absl::Minutes(15));
  gate_.Hurry(now_);
  EXPECT_EQ(Wait(), absl::Minutes(15)) << "an edit of something else does not end it";
  Advance(absl::Minutes(15));
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  RunPass(refused);
  Load();
  EXPECT_EQ(Wait(), absl::Minutes(15));
}

TEST_F(PollGateTest, EndOfASuspensionGivesTwoNewTries) {
  const absl::Status refused = odoo::MakeError(ErrorKind::kCredentials, "x");
  RunPass(refused);
  RunPass(refused);
  Suspend();
  connection_.state.suspension.reset();
  Load();
  gate_.Hurry(now_);
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  EXPECT_EQ(RunPass(refused).suspend_reason, "");
  EXPECT_EQ(RunPass(refused).suspend_reason, "credentials");
}

TEST_F(PollGateTest, RestartDoesNotHammerASuspendedLogin) {
  connection_.state.suspension = Suspension{"credentials", "x", now_.wall - absl::Hours(2)};
  connection_.state.last_poll.at = now_.wall - absl::Minutes(5);
  PollGate restarted(options_);
  restarted.Load(connection_, now_);
  EXPECT_EQ(restarted.Wait(connection_, now_), absl::Minutes(10));
}

TEST_F(PollGateTest, ResetEndsEverythingThatHolds) {
  for (int i = 0; i < 5; ++i) RunPass(down_);
  RunPass(odoo::MakeError(ErrorKind::kRateLimited, "x", absl::Hours(1)), /*forced=*/true);
  gate_.Reset(now_);
  EXPECT_EQ(gate_.breaker().state, BreakerState::kClosed);
  EXPECT_EQ(Wait(), absl::ZeroDuration());
}

}  // namespace
}  // namespace poller
