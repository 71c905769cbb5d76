#include "core/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/base/status.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

constexpr TransportFailure kAll[] = {
    TransportFailure::kDns,          TransportFailure::kConnect,   TransportFailure::kTls,
    TransportFailure::kEgressDenied, TransportFailure::kExhausted, TransportFailure::kCancelled,
    TransportFailure::kTimeout,      TransportFailure::kReset,     TransportFailure::kTooLarge,
    TransportFailure::kOverloaded,   TransportFailure::kProtocol};

TEST(TransportErrorTest, CarriesTheFailureThroughContext) {
  std::set<std::string_view> names;
  for (const TransportFailure failure : kAll) {
    const absl::Status status =
        AddContext(TransportError(failure, "shop.example: why"), "connection 7");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(TransportFailureOf(status), failure);
    EXPECT_TRUE(names.insert(TransportFailureName(failure)).second);
  }
}

TEST(TransportErrorTest, OtherErrorsAreNone) {
  EXPECT_EQ(TransportFailureOf(absl::UnavailableError("dns")), std::nullopt);
  EXPECT_EQ(TransportFailureOf(absl::OkStatus()), std::nullopt);
}

TEST(TransportErrorTest, OnlyFailuresBeforeTheRequestRuleOutThatItArrived) {
  for (const TransportFailure failure : kAll) {
    const bool before =
        failure == TransportFailure::kDns || failure == TransportFailure::kConnect ||
        failure == TransportFailure::kTls || failure == TransportFailure::kEgressDenied ||
        failure == TransportFailure::kExhausted;
    EXPECT_EQ(MayHaveBeenReceived(failure), !before) << TransportFailureName(failure);
  }
}

TEST(HttpResponseTest, HeaderNamesCompareWithoutCaseAndTheFirstWins) {
  HttpResponse response;
  response.headers = {{"Retry-After", "5"}, {"retry-after", "9"}, {"Date", ""}};
  EXPECT_EQ(response.Header("RETRY-AFTER"), "5");
  EXPECT_EQ(response.Header("date"), "");
  EXPECT_EQ(response.Header("Retry"), std::nullopt);
}

}  // namespace
}  // namespace poller
