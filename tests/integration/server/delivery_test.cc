#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Retries = v1::RetryQueueService::Stub;
using Orders = v1::OrderService::Stub;
using Logs = v1::SyncLogService::Stub;

class DeliveryTest : public ServerFixture {
 protected:
  void SetUp() override {
    Start();
    shop_ = AddShop().id();
  }

  Answer<v1::ListRetriesResponse> ListRetries(bool dead = false) {
    v1::ListRetriesRequest request;
    *request.mutable_connection() = Ref(shop_);
    request.set_dead(dead);
    return Call(retries_, &Retries::ListRetries, request);
  }
  Answer<v1::RetryDeliveryResponse> Retry(std::int64_t delivery) {
    v1::RetryDeliveryRequest request;
    request.set_delivery_id(delivery);
    return Call(retries_, &Retries::RetryDelivery, request);
  }
  Answer<v1::GetRetryResponse> GetRetry(std::int64_t delivery) {
    v1::GetRetryRequest request;
    request.set_delivery_id(delivery);
    return Call(retries_, &Retries::GetRetry, request);
  }
  Answer<v1::ResendOrdersResponse> ResendLast(int count, const std::string& request_id = "",
                                              bool validate_only = false) {
    v1::ResendOrdersRequest request;
    *request.mutable_connection() = Ref(shop_);
    request.set_last_n(count);
    request.set_request_id(request_id);
    request.set_validate_only(validate_only);
    return Call(orders_, &Orders::ResendOrders, request);
  }
  // An order that the receiver refuses, and the delivery that waits for its next attempt.
  v1::Delivery Refused() {
    receiver_.SetBehaviour({.status = 500});
    EventReader reader = FromNow();
    ConfirmOrder();
    Poll(shop_);
    EXPECT_TRUE(reader.Until(v1::EVENT_TYPE_DELIVERY_FAILED).has_value());
    const auto listed = ListRetries();
    EXPECT_EQ(listed->deliveries_size(), 1);
    return listed->deliveries(0);
  }
};

TEST_F(DeliveryTest, ShowsWhatWaitsWithItsPayloadAndAttempts) {
  const v1::Delivery waiting = Refused();
  EXPECT_EQ(waiting.status(), v1::DELIVERY_STATUS_PENDING);
  EXPECT_EQ(waiting.last_http_status(), 500);
  const auto retry = GetRetry(waiting.id());
  ASSERT_TRUE(retry.ok()) << retry.status.error_message();
  EXPECT_THAT(retry->payload(), HasSubstr("\"order.confirmed\""));
  EXPECT_EQ(retry->payload_size(), static_cast<std::int64_t>(retry->payload().size()));
  EXPECT_GE(retry->attempts_size(), 1);
  EXPECT_EQ(retry->attempts(0).http_status(), 500);
}

TEST_F(DeliveryTest, RetriesPastBreakerAndBackoff) {
  const v1::Delivery waiting = Refused();
  receiver_.ClearBehaviour();
  const auto retried = Retry(waiting.id());
  // It may have been accepted by its own schedule meanwhile; then there is nothing to retry.
  EXPECT_TRUE(retried.ok() || retried.status.error_code() == grpc::FAILED_PRECONDITION)
      << retried.status.error_message();
  ASSERT_TRUE(Accepted(1));
  EXPECT_EQ(receiver_.Orders().front().accepted_body, GetRetry(waiting.id())->payload());
}

TEST_F(DeliveryTest, RefusesToRetryWhatIsDelivered) {
  EventReader reader = FromNow();
  ConfirmOrder();
  Poll(shop_);
  const auto delivered = reader.Until(v1::EVENT_TYPE_DELIVERY_SUCCEEDED);
  ASSERT_TRUE(delivered.has_value());
  EXPECT_THAT(Retry(delivered->delivery_outcome().delivery_id()),
              FailsWith(grpc::FAILED_PRECONDITION, "NOT_RETRYABLE"));
  EXPECT_EQ(ListRetries()->deliveries_size(), 0);
}

TEST_F(DeliveryTest, KnowsWhichDeliveriesThereAre) {
  EXPECT_THAT(Retry(999), FailsWith(grpc::NOT_FOUND, "DELIVERY_NOT_FOUND"));
  EXPECT_THAT(GetRetry(999), FailsWith(grpc::NOT_FOUND, "DELIVERY_NOT_FOUND"));
  EXPECT_THAT(WrongFields(Retry(0).status), ElementsAre("delivery_id"));
  v1::DiscardDeliveryRequest discard;
  discard.set_delivery_id(999);
  EXPECT_THAT(Call(retries_, &Retries::DiscardDelivery, discard),
              FailsWith(grpc::NOT_FOUND, "DELIVERY_NOT_FOUND"));
}

TEST_F(DeliveryTest, ReadsADeadLetterAgainThatCouldNotBeMapped) {
  const test::RecordId order = ConfirmOrder();
  db_.SetRecordFault("sale.order", order, {});
  EventReader reader = FromNow();
  Poll(shop_);
  ASSERT_TRUE(reader.Until(v1::EVENT_TYPE_DELIVERY_DEAD).has_value());
  const auto dead = ListRetries(true);
  ASSERT_EQ(dead->deliveries_size(), 1);
  EXPECT_EQ(dead->deliveries(0).reason(), "unmappable");
  const auto shown = GetRetry(dead->deliveries(0).id());
  EXPECT_EQ(shown->payload(), "");

  db_.ClearRecordFaults();
  const auto retried = Retry(dead->deliveries(0).id());
  ASSERT_TRUE(retried.ok()) << retried.status.error_message();
  EXPECT_EQ(retried->delivery().order_id(), order);
  EXPECT_NE(retried->delivery().status(), v1::DELIVERY_STATUS_DEAD);
  EXPECT_TRUE(Accepted(1));
}

TEST_F(DeliveryTest, SaysWhenOdooCannotBeReadAgain) {
  const test::RecordId order = ConfirmOrder();
  db_.SetRecordFault("sale.order", order, {});
  Poll(shop_);
  const auto dead = ListRetries(true);
  ASSERT_EQ(dead->deliveries_size(), 1);
  sim_.faults().Add({.kind = test::OdooFault::Kind::kStatus, .status = 502});
  EXPECT_THAT(Retry(dead->deliveries(0).id()), FailsWith(grpc::UNAVAILABLE, "ODOO_FAILED"));
}

TEST_F(DeliveryTest, DiscardsForGood) {
  const v1::Delivery waiting = Refused();
  Pause(shop_, v1::PAUSE_SCOPE_BOTH);  // so that nothing is in flight
  v1::DiscardDeliveryRequest request;
  request.set_delivery_id(waiting.id());
  request.set_reason("not wanted");
  auto discarded = Call(retries_, &Retries::DiscardDelivery, request);
  while (InfoOf(discarded.status).reason() == "IN_FLIGHT")
    discarded = Call(retries_, &Retries::DiscardDelivery, request);
  ASSERT_TRUE(discarded.ok()) << discarded.status.error_message();
  EXPECT_EQ(discarded->delivery().status(), v1::DELIVERY_STATUS_DISCARDED);
  EXPECT_THAT(Call(retries_, &Retries::DiscardDelivery, request),
              FailsWith(grpc::FAILED_PRECONDITION, "NOT_RETRYABLE"));
  request.set_reason(std::string(501, 'x'));
  EXPECT_THAT(WrongFields(Call(retries_, &Retries::DiscardDelivery, request).status),
              ElementsAre("reason"));
}

TEST_F(DeliveryTest, ListsOrdersInPagesWithTheirOutcome) {
  for (int i = 0; i < 3; ++i) ConfirmOrder();
  Poll(shop_);
  ASSERT_TRUE(Accepted(3));
  v1::ListOrdersRequest request;
  request.set_page_size(2);
  const auto first = Call(orders_, &Orders::ListOrders, request);
  ASSERT_EQ(first->orders_size(), 2);
  request.set_page_token(first->next_page_token());
  const auto second = Call(orders_, &Orders::ListOrders, request);
  ASSERT_EQ(second->orders_size(), 1);
  EXPECT_EQ(second->next_page_token(), "");
  request.set_name_prefix("S");
  EXPECT_THAT(Call(orders_, &Orders::ListOrders, request),
              FailsWith(grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"));
  request.clear_page_token();
  request.set_name_prefix("nothing begins so");
  EXPECT_EQ(Call(orders_, &Orders::ListOrders, request)->orders_size(), 0);
}

TEST_F(DeliveryTest, ShowsAnOrderWithItsRevisions) {
  const test::RecordId id = ConfirmOrder();
  Poll(shop_);
  ASSERT_TRUE(Accepted(1));
  ASSERT_OK(db_.EditOrderRef(id, "changed"));
  EventReader reader = FromNow();
  EXPECT_EQ(Poll(shop_).counts().recorded(), 1);
  ASSERT_TRUE(reader.Until(v1::EVENT_TYPE_DELIVERY_SUCCEEDED).has_value());

  v1::GetOrderRequest request;
  *request.mutable_connection() = Ref(shop_);
  request.set_order_id(id);
  const auto by_id = Call(orders_, &Orders::GetOrder, request);
  ASSERT_TRUE(by_id.ok()) << by_id.status.error_message();
  EXPECT_EQ(by_id->order().revision(), 2);
  ASSERT_EQ(by_id->revisions_size(), 2);
  EXPECT_EQ(by_id->revisions(0).delivery().event_name(), "order.updated");
  EXPECT_EQ(by_id->revisions(1).attempts_size(), 1);
  request.set_name(by_id->order().name());
  EXPECT_EQ(Call(orders_, &Orders::GetOrder, request)->order().order_id(), id);
}

TEST_F(DeliveryTest, KnowsWhichOrdersThereAre) {
  v1::GetOrderRequest request;
  *request.mutable_connection() = Ref(shop_);
  EXPECT_THAT(WrongFields(Call(orders_, &Orders::GetOrder, request).status), ElementsAre("order"));
  request.set_name("S99999");
  const auto missing = Call(orders_, &Orders::GetOrder, request);
  EXPECT_THAT(missing, FailsWith(grpc::NOT_FOUND, "ORDER_NOT_FOUND"));
  EXPECT_EQ(InfoOf(missing.status).metadata().at("order"), "S99999");
}

TEST_F(DeliveryTest, ResendsWhatArrivedUnderTheSameId) {
  ConfirmOrder();
  Poll(shop_);
  ASSERT_TRUE(Accepted(1));
  const auto resent = ResendLast(1);
  ASSERT_TRUE(resent.ok()) << resent.status.error_message();
  EXPECT_EQ(resent->found_size(), 1);
  EXPECT_EQ(resent->requeued(), 1);
  EXPECT_TRUE(
      receiver_.WaitFor([](const auto& s) { return s.duplicates == 1; }, absl::Seconds(20)));
  EXPECT_THAT(receiver_.Violations(), IsEmpty());
}

TEST_F(DeliveryTest, ResendsOnceForOneRequestId) {
  ConfirmOrder();
  Poll(shop_);
  ASSERT_TRUE(Accepted(1));
  const auto first = ResendLast(1, "request-1");
  sim_.ClearCalls();
  const auto second = ResendLast(1, "request-1");
  EXPECT_EQ(first->SerializeAsString(), second->SerializeAsString());
  EXPECT_THAT(sim_.Calls(), IsEmpty());
  EXPECT_THAT(ResendLast(2, "request-1"), FailsWith(grpc::ALREADY_EXISTS, "REQUEST_ID_REUSED"));
}

TEST_F(DeliveryTest, SaysWhatWouldBeSent) {
  ConfirmOrder();
  Poll(shop_);
  ASSERT_TRUE(Accepted(1));
  const auto shown = ResendLast(5, "", true);
  EXPECT_EQ(shown->found_size(), 1);
  EXPECT_EQ(shown->requeued(), 0);
  EXPECT_EQ(receiver_.Summary().attempts, 1);
}

TEST_F(DeliveryTest, RefusesAResendOfNothing) {
  EXPECT_THAT(WrongFields(ResendLast(0).status), ElementsAre("last_n"));
  v1::ResendOrdersRequest request;
  *request.mutable_connection() = Ref(shop_);
  EXPECT_THAT(WrongFields(Call(orders_, &Orders::ResendOrders, request).status),
              ElementsAre("selection"));
  request.mutable_orders();
  EXPECT_THAT(WrongFields(Call(orders_, &Orders::ResendOrders, request).status),
              ElementsAre("orders"));
  request.mutable_orders()->add_names("S99999");
  EXPECT_THAT(Call(orders_, &Orders::ResendOrders, request)->missing(), ElementsAre("S99999"));
  sim_.faults().Add({.kind = test::OdooFault::Kind::kStatus, .status = 502});
  EXPECT_THAT(ResendLast(1), FailsWith(grpc::UNAVAILABLE, "ODOO_FAILED"));
}

TEST_F(DeliveryTest, LogsPassesThatFoundSomething) {
  ConfirmOrder();
  Poll(shop_);
  v1::ListSyncLogsRequest request;
  *request.mutable_connection() = Ref(shop_);
  const auto logs = Call(logs_, &Logs::ListSyncLogs, request);
  ASSERT_TRUE(logs.ok()) << logs.status.error_message();
  ASSERT_GE(logs->sync_logs_size(), 1);
  EXPECT_EQ(logs->sync_logs(0).counts().recorded(), 1);
  EXPECT_EQ(logs->sync_logs(0).connection_name(), "shop");
  request.set_page_token("nonsense");
  EXPECT_THAT(Call(logs_, &Logs::ListSyncLogs, request),
              FailsWith(grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"));
}

TEST_F(DeliveryTest, CountsInTheServersStatus) {
  Refused();
  const auto status =
      Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest());
  ASSERT_TRUE(status.ok()) << status.status.error_message();
  EXPECT_EQ(status->version(), std::string(ProgramVersion()));
  EXPECT_EQ(status->connection_count(), 1);
  EXPECT_EQ(status->waiting_count(), 1);
  EXPECT_TRUE(status->has_oldest_waiting_time());
  EXPECT_GT(status->database_bytes(), 0);
  EXPECT_NE(status->event_log().log_id(), "");
}

}  // namespace
}  // namespace poller
