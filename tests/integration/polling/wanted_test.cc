// Work that somebody waits for ends soon after nobody does.
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/polling/polling_fixture.h"

namespace poller {
namespace {

using test::PollingFixture;
using test::RecordId;

class WantedTest : public PollingFixture {
 protected:
  // The caller goes when it was asked for so often.
  StillWanted For(int times) {
    return [this, times]() -> absl::Status {
      return ++asked_ > times ? absl::CancelledError("the caller has gone") : absl::OkStatus();
    };
  }
  // A connection that is not stored.
  Connection Target() {
    Connection connection;
    connection.settings = Settings();
    return connection;
  }
  int asked_ = 0;
};

TEST_F(WantedTest, APassThatNobodyWaitsForDoesNotBegin) {
  Begin();
  ClearCalls();
  EXPECT_THAT(Await(scheduler_->PollNow(connection_.id, For(0))),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Calls(), 0u);
}

TEST_F(WantedTest, APassThatHasBegunIsTheShops) {
  Begin();
  const RecordId order = Confirm();
  EXPECT_OK(Await(scheduler_->PollNow(connection_.id, For(1))).status());
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(WantedTest, AResendEndsBehindABatchAndARepeatDoesTheRest) {
  options_.batch_size = 10;
  const std::vector<RecordId> orders = ConfirmMany(30);
  Pass(absl::Minutes(1));
  Restart();
  Begin();
  const auto sent = [this, &orders] {
    int count = 0;
    for (const RecordId order : orders) count += Known(order) == "1 pending" ? 1 : 0;
    return count;
  };
  ASSERT_EQ(sent(), 0);
  ResendRequest request;
  request.last = 30;
  // The listing, and one batch.
  EXPECT_THAT(Await(scheduler_->Resend(connection_.id, request, Actor(), For(2))),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(sent(), 10);
  EXPECT_EQ(Logs().front().kind, "resend");
  EXPECT_EQ(Logs().front().unchanged, 10);
  EXPECT_OK(Await(scheduler_->Resend(connection_.id, request, Actor())).status());
  EXPECT_EQ(sent(), 30);
}

TEST_F(WantedTest, ACountAsksNothingFurther) {
  ConfirmMany(5);
  Begin();
  JobSpec spec;
  spec.connection = connection_.id;
  spec.last = 2;
  ASSERT_OK(Await(scheduler_->CountOrders(spec)).status());
  ClearCalls();
  EXPECT_THAT(Await(scheduler_->CountOrders(spec, For(1))), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Calls(), 1u);
}

TEST_F(WantedTest, ATestMakesNoFurtherCall) {
  Confirm();
  const int whole = [this] {
    EXPECT_EQ(Await(scheduler_->TestOdoo(Target())).back().result, TestStep::Result::kOk);
    return http_->requests();
  }();
  ASSERT_GT(whole, 4);
  for (int calls = 0; calls < whole; ++calls) {
    const int before = http_->requests();
    asked_ = 0;
    Await(scheduler_->TestOdoo(Target(), For(calls)));
    EXPECT_EQ(http_->requests() - before, calls);
  }
}

}  // namespace
}  // namespace poller
