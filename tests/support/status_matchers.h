// GoogleMock matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(store.Resolve(unknown), StatusIs(absl::StatusCode::kNotFound));
//   EXPECT_THAT(ParseBytes("1KiB"), IsOkAndHolds(1024));
//   ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl("https://shop.example"));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/status.h"

namespace poller {
namespace matchers_internal {

template <class StatusType>
class StatusIsImpl : public testing::MatcherInterface<StatusType> {
 public:
  StatusIsImpl(testing::Matcher<absl::StatusCode> code, testing::Matcher<std::string> message)
      : code_(std::move(code)), message_(std::move(message)) {}

  void DescribeTo(std::ostream* out) const override { Explain(out, false); }
  void DescribeNegationTo(std::ostream* out) const override { Explain(out, true); }
  bool MatchAndExplain(StatusType value, testing::MatchResultListener* listener) const override {
    const absl::Status status = internal::ToStatus(value);
    *listener << "which is " << Describe(status);
    return code_.Matches(status.code()) && message_.Matches(std::string(Message(status)));
  }

 private:
  void Explain(std::ostream* out, bool negated) const {
    *out << (negated ? "is not a status whose code " : "is a status whose code ");
    code_.DescribeTo(out);
    *out << " and whose message ";
    message_.DescribeTo(out);
  }
  testing::Matcher<absl::StatusCode> code_;
  testing::Matcher<std::string> message_;
};

class StatusIsMatcher {
 public:
  StatusIsMatcher(testing::Matcher<absl::StatusCode> code, testing::Matcher<std::string> message)
      : code_(std::move(code)), message_(std::move(message)) {}
  template <class StatusType>
  operator testing::Matcher<StatusType>() const {  // NOLINT: gmock's polymorphic matchers convert
    return testing::Matcher<StatusType>(new StatusIsImpl<const StatusType&>(code_, message_));
  }

 private:
  testing::Matcher<absl::StatusCode> code_;
  testing::Matcher<std::string> message_;
};

template <class StatusOrType>
class IsOkAndHoldsImpl : public testing::MatcherInterface<StatusOrType> {
 public:
  using Value = typename std::remove_reference_t<StatusOrType>::value_type;
  template <class Inner>
  explicit IsOkAndHoldsImpl(const Inner& inner)
      : inner_(testing::SafeMatcherCast<const Value&>(inner)) {}

  void DescribeTo(std::ostream* out) const override {
    *out << "is OK and holds a value that ";
    inner_.DescribeTo(out);
  }
  void DescribeNegationTo(std::ostream* out) const override {
    *out << "is an error, or holds a value that ";
    inner_.DescribeNegationTo(out);
  }
  bool MatchAndExplain(StatusOrType value, testing::MatchResultListener* listener) const override {
    if (value.ok()) return inner_.MatchAndExplain(*value, listener);
    *listener << "which is " << Describe(value.status());
    return false;
  }

 private:
  testing::Matcher<const Value&> inner_;
};

template <class Inner>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}
  template <class StatusOrType>
  operator testing::Matcher<StatusOrType>() const {  // NOLINT: gmock's polymorphic matchers convert
    return testing::Matcher<StatusOrType>(new IsOkAndHoldsImpl<const StatusOrType&>(inner_));
  }

 private:
  Inner inner_;
};

}  // namespace matchers_internal

// A Status or StatusOr with that code, and a message that matches. `code` may be a matcher too.
template <class Code>
matchers_internal::StatusIsMatcher StatusIs(Code code, testing::Matcher<std::string> message) {
  return {testing::MatcherCast<absl::StatusCode>(std::move(code)), std::move(message)};
}
template <class Code>
matchers_internal::StatusIsMatcher StatusIs(Code code) {
  return StatusIs(std::move(code), testing::A<std::string>());
}

inline matchers_internal::StatusIsMatcher IsOk() { return StatusIs(absl::StatusCode::kOk); }

// A StatusOr that has a value, which matches `inner` (a value or a matcher).
template <class Inner>
matchers_internal::IsOkAndHoldsMatcher<Inner> IsOkAndHolds(Inner inner) {
  return matchers_internal::IsOkAndHoldsMatcher<Inner>(std::move(inner));
}

}  // namespace poller

#define EXPECT_OK(expression) EXPECT_THAT((expression), ::poller::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::poller::IsOk())
// Ends the test if `expression` is an error.
#define ASSERT_OK_AND_ASSIGN(lhs, expression) \
  ASSERT_OK_AND_ASSIGN_IMPL(POLLER_CONCAT(poller_test_status_or_, __LINE__), lhs, expression)
#define ASSERT_OK_AND_ASSIGN_IMPL(tmp, lhs, expression)      \
  auto tmp = (expression);                                   \
  ASSERT_TRUE(tmp.ok()) << ::poller::Describe(tmp.status()); \
  lhs = std::move(tmp).value()
