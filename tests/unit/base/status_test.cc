#include "core/base/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(StatusTest, DescribesCodeAndMessage) {
  EXPECT_EQ(Describe(absl::NotFoundError("no connection 7")), "NOT_FOUND: no connection 7");
  EXPECT_EQ(Describe(absl::OkStatus()), "OK");
}

TEST(StatusTest, ContextKeepsCodeAndPayloads) {
  const absl::Status status =
      AddContext(WithReason(absl::AbortedError("stale"), "ETAG_MISMATCH"), "connection 7");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, "connection 7: stale"));
  EXPECT_EQ(Reason(status), "ETAG_MISMATCH");
  EXPECT_OK(AddContext(absl::OkStatus(), "connection 7"));
}

TEST(StatusTest, ReasonIsAbsentUnlessGiven) {
  EXPECT_EQ(Reason(absl::NotFoundError("x")), std::nullopt);
  EXPECT_EQ(Reason(WithReason(absl::OkStatus(), "NEVER")), std::nullopt);
}

TEST(StatusTest, CarriesFieldViolations) {
  const std::vector<FieldViolation> violations = {{"odoo.url", "has no scheme"},
                                                  {"name", "is empty"}};
  const absl::Status status = InvalidFields(violations);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "odoo.url: has no scheme; name: is empty"));
  EXPECT_EQ(FieldViolations(status), violations);
  EXPECT_THAT(FieldViolations(absl::NotFoundError("x")), IsEmpty());
}

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) return MakeStatus(absl::StatusCode::kInvalidArgument, "odd");
  return number / 2;
}
absl::StatusOr<int> Quarter(int number) {
  ASSIGN_OR_RETURN(const int half, Half(number));
  RETURN_IF_ERROR(Half(half));
  return Half(half);
}
absl::StatusOr<std::unique_ptr<int>> Owned(int number) {
  ASSIGN_OR_RETURN(auto owned, absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(number)));
  return owned;
}

TEST(StatusMacrosTest, LeaveAtTheFirstError) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
  EXPECT_THAT(Quarter(5), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StatusMacrosTest, MoveWhatCannotBeCopied) {
  EXPECT_THAT(Owned(3), IsOkAndHolds(testing::Pointee(3)));
}

TEST(StatusMatchersTest, TellErrorsApart) {
  EXPECT_THAT(Half(3), Not(IsOk()));
  EXPECT_THAT(Half(4), Not(IsOkAndHolds(3)));
  EXPECT_THAT(Half(3), Not(IsOkAndHolds(1)));
  EXPECT_THAT(Half(3), Not(StatusIs(absl::StatusCode::kNotFound)));
  EXPECT_THAT(Half(3), Not(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("even"))));
  EXPECT_THAT(Half(3), StatusIs(testing::AnyOf(absl::StatusCode::kInvalidArgument,
                                               absl::StatusCode::kNotFound)));
  testing::StringMatchResultListener why;
  EXPECT_FALSE(testing::ExplainMatchResult(IsOk(), Half(3), &why));
  EXPECT_THAT(why.str(), HasSubstr("INVALID_ARGUMENT: odd"));
}

}  // namespace
}  // namespace poller
