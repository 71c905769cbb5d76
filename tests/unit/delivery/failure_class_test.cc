#include "core/delivery/failure_class.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace poller {
namespace {

using Receiver = AttemptVerdict::Receiver;

const absl::Time kNow = absl::FromUnixSeconds(1768473000);  // Thu, 15 Jan 2026 10:30:00 GMT

AttemptVerdict Answer(int status, std::optional<std::string_view> retry_after = std::nullopt,
                      std::optional<std::string_view> date = std::nullopt) {
  return ClassifyAnswer(status, retry_after, date, kNow, absl::Hours(1));
}

TEST(ClassifyAnswerTest, EveryTwoHundredIsAccepted) {
  for (const int status : {200, 201, 202, 204, 299}) {
    EXPECT_TRUE(Answer(status).accepted) << status;
    EXPECT_EQ(Answer(status).receiver, Receiver::kWell) << status;
    EXPECT_FALSE(Answer(status).may_blame_order) << status;
  }
}

TEST(ClassifyAnswerTest, TheseCountForTheBreakerUnlessTheOrderIsBlamed) {
  for (const int status : {301, 302, 307, 401, 403, 404, 408, 425, 500, 502, 503, 504, 599}) {
    EXPECT_FALSE(Answer(status).accepted) << status;
    EXPECT_EQ(Answer(status).receiver, Receiver::kSuspect) << status;
    EXPECT_TRUE(Answer(status).may_blame_order) << status;
  }
}

TEST(ClassifyAnswerTest, OtherFourHundredsAreAboutTheOrder) {
  for (const int status : {400, 402, 405, 406, 409, 411, 413, 415, 418, 422, 451}) {
    EXPECT_FALSE(Answer(status).accepted) << status;
    EXPECT_EQ(Answer(status).receiver, Receiver::kWell) << status;
    EXPECT_TRUE(Answer(status).may_blame_order) << status;
  }
}

TEST(ClassifyAnswerTest, GoneIsNeverAFailureForTheBreaker) {
  EXPECT_TRUE(Answer(410).gone);
  EXPECT_EQ(Answer(410).receiver, Receiver::kSilent);
}

TEST(ClassifyAnswerTest, ANumberThatIsNoStatusIsTheReceiversFailure) {
  for (const int status : {0, 100, 199, 600, 999}) {
    EXPECT_EQ(Answer(status).receiver, Receiver::kFailed) << status;
    EXPECT_FALSE(Answer(status).may_blame_order) << status;
  }
}

TEST(ClassifyAnswerTest, TooManyRequestsWithoutATimeIsABackoffOfTheLeg) {
  EXPECT_TRUE(Answer(429).rate_limited);
  EXPECT_EQ(Answer(429).receiver, Receiver::kSilent);
  EXPECT_FALSE(Answer(429).may_blame_order);
  EXPECT_FALSE(Answer(429).hold.has_value());
}

struct RetryAfterCase {
  std::string_view value;
  std::optional<absl::Duration> hold;
};

TEST(ClassifyAnswerTest, ReadsRetryAfter) {
  const std::vector<RetryAfterCase> cases = {
      {"120", absl::Seconds(120)},
      {" 7\t", absl::Seconds(7)},
      {"0", absl::Seconds(1)},
      {"3600", absl::Hours(1)},
      {"3601", absl::Hours(1)},
      {"99999999999999999999999", absl::Hours(1)},
      {"Thu, 15 Jan 2026 10:31:30 GMT", absl::Seconds(90)},
      {"Thu, 15 Jan 2026 10:29:00 GMT", absl::Seconds(1)},
      {"Thu, 15 Jan 2099 10:29:00 GMT", absl::Hours(1)},
      {"", std::nullopt},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
  };
  for (const int status : {429, 503}) {
    for (const RetryAfterCase& c : cases) {
      const AttemptVerdict verdict = Answer(status, c.value);
      EXPECT_EQ(verdict.hold, c.hold) << status << " " << c.value;
      if (!c.hold.has_value()) continue;
      EXPECT_EQ(verdict.receiver, Receiver::kSilent) << status << " " << c.value;
      EXPECT_FALSE(verdict.may_blame_order) << status << " " << c.value;
      EXPECT_FALSE(verdict.rate_limited) << status << " " << c.value;
    }
  }
}

TEST(ClassifyAnswerTest, ComparesADateWithTheReceiversOwnClock) {
  const AttemptVerdict verdict =
      Answer(503, "Thu, 15 Jan 2026 12:01:00 GMT", "Thu, 15 Jan 2026 12:00:00 GMT");
  EXPECT_EQ(verdict.hold, absl::Minutes(1));
}

TEST(ClassifyAnswerTest, OnlyRateLimitAndUnavailableMayHoldTheLeg) {
  for (const int status : {200, 400, 500, 502}) {
    EXPECT_FALSE(Answer(status, "60").hold.has_value()) << status;
  }
}

TEST(ClassifyTransportFailureTest, IsAlwaysTheReceivers) {
  for (const TransportFailure failure :
       {TransportFailure::kDns, TransportFailure::kConnect, TransportFailure::kTls,
        TransportFailure::kEgressDenied, TransportFailure::kTimeout, TransportFailure::kReset,
        TransportFailure::kTooLarge, TransportFailure::kProtocol}) {
    const AttemptVerdict verdict = ClassifyTransportFailure(failure);
    EXPECT_EQ(verdict.receiver, Receiver::kFailed) << TransportFailureName(failure);
    EXPECT_FALSE(verdict.may_blame_order) << TransportFailureName(failure);
    EXPECT_FALSE(verdict.accepted) << TransportFailureName(failure);
  }
}

TEST(ClassifyTransportFailureTest, OurOwnWantSaysNothingAndWaits) {
  for (const TransportFailure failure :
       {TransportFailure::kExhausted, TransportFailure::kOverloaded}) {
    const AttemptVerdict verdict = ClassifyTransportFailure(failure);
    EXPECT_EQ(verdict.receiver, Receiver::kSilent) << TransportFailureName(failure);
    EXPECT_FALSE(verdict.may_blame_order) << TransportFailureName(failure);
    EXPECT_EQ(verdict.hold, absl::Seconds(5)) << TransportFailureName(failure);
  }
}

TEST(ClassifyTransportFailureTest, OurOwnStopSaysNothing) {
  EXPECT_EQ(ClassifyTransportFailure(TransportFailure::kCancelled).receiver, Receiver::kSilent);
}

}  // namespace
}  // namespace poller
