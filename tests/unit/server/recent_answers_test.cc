#include "server/services/recent_answers.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::Eq;
using testing::Optional;

constexpr absl::Duration kNow = absl::Hours(100);

TEST(RecentAnswersTest, GivesTheFirstAnswerAgain) {
  RecentAnswers<int> answers;
  EXPECT_THAT(answers.Begin("key", "request", kNow), IsOkAndHolds(Eq(std::nullopt)));
  answers.Finish("key", 7);
  EXPECT_THAT(answers.Begin("key", "request", kNow + absl::Hours(23)), IsOkAndHolds(Optional(7)));
}

TEST(RecentAnswersTest, ForgetsAfterADay) {
  RecentAnswers<int> answers;
  ASSERT_OK(answers.Begin("key", "request", kNow));
  answers.Finish("key", 7);
  EXPECT_THAT(answers.Begin("key", "request", kNow + absl::Hours(24)),
              IsOkAndHolds(Eq(std::nullopt)));
}

TEST(RecentAnswersTest, RefusesAnotherRequestUnderTheSameId) {
  RecentAnswers<int> answers;
  ASSERT_OK(answers.Begin("key", "request", kNow));
  EXPECT_THAT(answers.Begin("key", "other", kNow), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST(RecentAnswersTest, RefusesARepeatWhileTheFirstRuns) {
  RecentAnswers<int> answers;
  ASSERT_OK(answers.Begin("key", "request", kNow));
  EXPECT_THAT(answers.Begin("key", "request", kNow), StatusIs(absl::StatusCode::kAborted));
}

TEST(RecentAnswersTest, ForgetsAFailure) {
  RecentAnswers<int> answers;
  ASSERT_OK(answers.Begin("key", "request", kNow));
  answers.Finish("key", absl::UnavailableError("no"));
  EXPECT_THAT(answers.Begin("key", "request", kNow), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(RecentAnswersTest, KeepsABoundedNumber) {
  RecentAnswers<int> answers;
  for (std::size_t i = 0; i <= RecentAnswers<int>::kMax; ++i) {
    ASSERT_OK(answers.Begin("key " + std::to_string(i), "request", kNow));
    answers.Finish("key " + std::to_string(i), 7);
  }
  EXPECT_THAT(answers.Begin("key 0", "request", kNow), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(answers.Begin("key 500", "request", kNow), IsOkAndHolds(Optional(7)));
}

}  // namespace
}  // namespace poller
