// orders, order, send, retries, retry, discard, status.
#include <string>

#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OrdersTest : public ClientTest {
 protected:
  OrdersTest() {
    server.orders.script_ListOrders.answer = [this](const auto&,
                                                    api::ListOrdersResponse& response) {
      for (const api::Order& order : known) *response.add_orders() = order;
      return grpc::Status::OK;
    };
    server.orders.script_GetOrder.answer = [this](const auto&, api::GetOrderResponse& response) {
      *response.mutable_order() = known.at(0);
      return grpc::Status::OK;
    };
    server.orders.script_ResendOrders.answer = [](const auto&,
                                                  api::ResendOrdersResponse& response) {
      response.add_found("S00042");
      response.set_requeued(1);
      return grpc::Status::OK;
    };
    server.retries.script_GetRetry.answer = [this](const auto&, api::GetRetryResponse& response) {
      *response.mutable_delivery() = delivery;
      return grpc::Status::OK;
    };
    delivery.set_id(17);
    delivery.set_order_name("S00042");
    delivery.set_revision(2);
    delivery.set_status(api::DELIVERY_STATUS_DEAD);
    delivery.set_attempt_count(5);
  }

  static api::Order Order(std::int64_t connection, std::int64_t id, const std::string& name) {
    api::Order order;
    order.set_connection_id(connection);
    order.set_connection_name("shop" + std::to_string(connection));
    order.set_order_id(id);
    order.set_name(name);
    order.set_revision(1);
    order.set_status(api::DELIVERY_STATUS_DELIVERED);
    return order;
  }

  std::vector<api::Order> known = {Order(1, 42, "S00042"), Order(1, 43, "S000421"),
                                   Order(2, 44, "S00044")};
  api::Delivery delivery;
};

TEST_F(OrdersTest, OrderFindsItsShopByTheExactName) {
  EXPECT_EQ(Run({"order", "S00042"}).code, 0);
  EXPECT_EQ(server.orders.script_GetOrder.requests.at(0).connection().id(), 1);
  EXPECT_EQ(server.orders.script_GetOrder.requests.at(0).name(), "S00042");
}

TEST_F(OrdersTest, OrderThatIsNotKnownIsThree) {
  const Result result = Run({"order", "S0004"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("pollerctl send"));
}

TEST_F(OrdersTest, OrderOfSeveralShopsAsksWhich) {
  known.push_back(Order(2, 7, "S00042"));
  const Result result = Run({"order", "S00042"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("-c 1"), HasSubstr("-c 2")));
  EXPECT_EQ(Run({"order", "S00042", "-c", "2"}).code, 0);
}

TEST_F(OrdersTest, SendWithoutATerminalMustSayWhat) {
  EXPECT_EQ(Run({"send", "-c", "shop1"}).code, 2);
  EXPECT_EQ(Run({"send", "--last", "1"}).code, 2);
  EXPECT_EQ(Run({"send", "-c", "shop1", "--last", "1", "--order", "S1"}).code, 2);
  EXPECT_EQ(Run({"send", "-c", "shop1", "--last", "0"}).code, 2);
  EXPECT_THAT(server.orders.script_ResendOrders.requests, IsEmpty());
}

TEST_F(OrdersTest, SendPassesOnWhatWasAsked) {
  EXPECT_EQ(Run({"send", "-c", "shop1", "--last", "3"}).code, 0);
  EXPECT_EQ(Run({"send", "-c", "1", "--order", "S1", "--order", "42", "--dry-run"}).code, 0);
  const auto& requests = server.orders.script_ResendOrders.requests;
  EXPECT_TRUE(requests.at(0).validate_only()) << "how many, first";
  EXPECT_FALSE(requests.at(1).validate_only());
  for (int i : {0, 1}) EXPECT_EQ(requests.at(i).last_n(), 3);
  EXPECT_EQ(requests.at(1).connection().name(), "shop1");
  EXPECT_FALSE(requests.at(1).request_id().empty());
  EXPECT_NE(requests.at(0).request_id(), requests.at(1).request_id());
  EXPECT_THAT(requests.at(2).orders().names(), ElementsAre("S1", "42"));
  EXPECT_TRUE(requests.at(2).validate_only());
}

TEST_F(OrdersTest, SendOfTheNewestSaysHowManyBeforeItActs) {
  server.orders.script_ResendOrders.answer = [](const auto& request,
                                                api::ResendOrdersResponse& response) {
    if (!request.validate_only()) return grpc::Status(grpc::StatusCode::INTERNAL, "broken");
    response.add_found("S2");
    response.add_found("S1");
    return grpc::Status::OK;
  };
  const Result result = Run({"send", "-c", "shop1", "--last", "2"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("sending 2 orders: S2, S1"));
}

TEST_F(OrdersTest, SendLetsThePersonChoose) {
  terminal.can_ask = true;
  terminal.answers = {"9", "1,2-3"};
  EXPECT_EQ(Run({"send", "-c", "shop1"}).code, 0);
  EXPECT_THAT(server.orders.script_ResendOrders.requests.at(0).orders().ids(),
              ElementsAre(42, 43, 44));
}

TEST_F(OrdersTest, SendOfNothingIsNoError) {
  terminal.can_ask = true;
  terminal.answers = {""};
  EXPECT_EQ(Run({"send", "-c", "shop1"}).code, 0);
  EXPECT_THAT(server.orders.script_ResendOrders.requests, IsEmpty());
}

TEST_F(OrdersTest, SendOfWhatOdooDoesNotHaveIsThree) {
  server.orders.script_ResendOrders.answer = [](const auto&, api::ResendOrdersResponse& response) {
    response.add_missing("S9");
    return grpc::Status::OK;
  };
  const Result result = Run({"send", "-c", "shop1", "--order", "S9"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("S9"));
}

TEST_F(OrdersTest, RetryWaitsForTheOutcome) {
  server.retries.script_RetryDelivery.answer = [this](const auto&,
                                                      api::RetryDeliveryResponse& response) {
    delivery.set_status(api::DELIVERY_STATUS_PENDING);
    *response.mutable_delivery() = delivery;
    delivery.set_status(api::DELIVERY_STATUS_DELIVERED);
    delivery.set_attempt_count(6);
    return grpc::Status::OK;
  };
  const Result result = Run({"retry", "17"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "S00042 r2 (delivery 17) is delivered\n");
}

TEST_F(OrdersTest, RetryThatFailsAgainIsOneAndSaysWhy) {
  server.retries.script_RetryDelivery.answer = [this](const auto&,
                                                      api::RetryDeliveryResponse& response) {
    delivery.set_status(api::DELIVERY_STATUS_PENDING);
    *response.mutable_delivery() = delivery;
    delivery.set_attempt_count(6);
    delivery.set_last_error("HTTP 500");
    return grpc::Status::OK;
  };
  const Result result = Run({"retry", "17"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("failed again: HTTP 500"));
}

TEST_F(OrdersTest, RetryGivesUpWaiting) {
  server.retries.script_RetryDelivery.answer = [this](const auto&,
                                                      api::RetryDeliveryResponse& response) {
    delivery.set_status(api::DELIVERY_STATUS_PENDING);
    *response.mutable_delivery() = delivery;
    return grpc::Status::OK;
  };
  const Result result = Run({"retry", "17"});
  EXPECT_EQ(result.code, 7) << "what becomes of it is not known";
  EXPECT_THAT(result.out, AllOf(HasSubstr("is due now"), HasSubstr("pollerctl retries 17")));
  EXPECT_EQ(Run({"retry", "17", "--no-wait"}).code, 0);
  EXPECT_GT(interrupt.waited, absl::Seconds(30));
}

TEST_F(OrdersTest, RetryOfAnOldRevisionSaysWhere) {
  server.retries.script_RetryDelivery.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::FAILED_PRECONDITION, "superseded", "NOT_NEWEST_REVISION");
  };
  const Result result = Run({"retry", "17"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("pollerctl order"));
}

TEST_F(OrdersTest, DiscardAsksUnlessYes) {
  server.retries.script_DiscardDelivery.answer = [this](const auto&,
                                                        api::DiscardDeliveryResponse& response) {
    *response.mutable_delivery() = delivery;
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"discard", "17"}).code, 2);
  terminal.can_ask = true;
  terminal.answers = {"n"};
  EXPECT_EQ(Run({"discard", "17"}).code, 0);
  EXPECT_THAT(server.retries.script_DiscardDelivery.requests, IsEmpty());
  EXPECT_EQ(Run({"discard", "17", "--yes", "--reason", "by hand"}).code, 0);
  EXPECT_EQ(server.retries.script_DiscardDelivery.requests.at(0).reason(), "by hand");
}

TEST_F(OrdersTest, RetriesShowsTheQueueAndOneOfIt) {
  server.retries.script_ListRetries.answer = [this](const auto&,
                                                    api::ListRetriesResponse& response) {
    *response.add_deliveries() = delivery;
    response.set_next_page_token("more");
    return grpc::Status::OK;
  };
  const Result list = Run({"retries", "--dead", "-c", "shop1", "-n", "1"});
  EXPECT_THAT(list.out, AllOf(HasSubstr("17"), HasSubstr("S00042"), HasSubstr("dead")));
  EXPECT_THAT(list.err, HasSubstr("there are more"));
  const auto& request = server.retries.script_ListRetries.requests.at(0);
  EXPECT_TRUE(request.dead());
  EXPECT_EQ(request.connection().name(), "shop1");
  EXPECT_EQ(request.page_size(), 1);
  EXPECT_THAT(Run({"retries", "17"}).out, HasSubstr("S00042"));
}

TEST_F(OrdersTest, WhatIsDueIsNotSaidToHaveBeenTried) {
  delivery.set_status(api::DELIVERY_STATUS_PENDING);
  delivery.mutable_next_attempt_time()->set_seconds(1'800'000'000 - 5);
  EXPECT_THAT(Run({"retries", "17"}).out, HasSubstr("Next attempt  due\n"));
  delivery.mutable_next_attempt_time()->set_seconds(1'800'000'000 + 5);
  EXPECT_THAT(Run({"retries", "17"}).out, HasSubstr("Next attempt  in 5s\n"));
}

TEST_F(OrdersTest, StatusAndVersion) {
  server.admin.script_GetServerStatus.answer = [](const auto&,
                                                  api::GetServerStatusResponse& response) {
    response.set_version("9.9.9");
    response.set_dead_count(4);
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"status"}).out, AllOf(HasSubstr("9.9.9"), HasSubstr("Dead")));
  EXPECT_THAT(Run({"status", "-o", "json"}).out, HasSubstr("\"deadCount\": \"4\""));
  EXPECT_THAT(Run({"version"}).out, HasSubstr("9.9.9"));
  EXPECT_EQ(Run({"version", "--server", "127.0.0.1:1"}).code, 0);
}

TEST_F(OrdersTest, RetryAllGoesOnUntilTheQueueIsThrough) {
  server.retries.script_RetryDeliveries.answer = [](const api::RetryDeliveriesRequest& request,
                                                    api::RetryDeliveriesResponse& response) {
    if (request.validate_only()) {
      response.set_matching_count(700);
    } else if (request.page_token().empty()) {
      response.set_retried_count(500);
      response.set_next_page_token("more");
    } else {
      response.set_retried_count(199);
      response.set_skipped_count(1);
    }
    return grpc::Status::OK;
  };
  server.connections.script_GetConnection.answer = [this](const auto&,
                                                          api::GetConnectionResponse& response) {
    *response.mutable_connection() = Shop(1, "shop1");
    auto& state = *response.mutable_connection()->mutable_state();
    state.set_waiting_count(750);
    state.mutable_receiver_breaker()->set_state(api::BREAKER_STATE_OPEN);
    state.mutable_receiver_breaker()->mutable_retry_time()->set_seconds(1'800'000'030);
    return grpc::Status::OK;
  };
  terminal.can_ask = true;
  terminal.answers = {"y"};
  const Result result = Run({"retry", "--all", "-c", "shop1", "--dead"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(terminal.prompts.at(0), HasSubstr("700 deliveries"));
  EXPECT_THAT(result.out, AllOf(HasSubstr("699 deliveries due now"), HasSubstr("1 delivery left"),
                                HasSubstr("750 deliveries of this shop wait now"),
                                HasSubstr("the next probe is in 30s")));
  const auto& requests = server.retries.script_RetryDeliveries.requests;
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[2].page_token(), "more");
  EXPECT_EQ(requests[2].connection().name(), "shop1");
  EXPECT_TRUE(requests[2].dead());
}

TEST_F(OrdersTest, RetryAllCanBeTriedDryAndAsksAPerson) {
  server.retries.script_RetryDeliveries.answer = [](const auto&,
                                                    api::RetryDeliveriesResponse& response) {
    response.set_matching_count(2);
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"retry", "--all", "--dry-run"}).out, HasSubstr("2 deliveries would be tried"));
  terminal.can_ask = true;
  terminal.answers = {"n"};
  EXPECT_THAT(Run({"retry", "--all"}).err, HasSubstr("nothing was done"));
  EXPECT_EQ(server.retries.script_RetryDeliveries.requests.size(), 2u);
}

TEST_F(OrdersTest, RetryAllOfAnEmptyQueueSaysSo) {
  server.retries.script_RetryDeliveries.answer = [](const auto&, auto&) {
    return grpc::Status::OK;
  };
  const Result all = Run({"retry", "--all", "-y"});
  EXPECT_EQ(all.code, 0);
  EXPECT_EQ(all.err, "nothing waits to be tried again, and nothing is dead\n");
  EXPECT_EQ(Run({"retry", "--all", "--dead", "--dry-run"}).err, "nothing is dead\n");
}

TEST_F(OrdersTest, RetryAllNeedsYesWhereNobodyCanBeAsked) {
  const Result result = Run({"retry", "--all"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--yes"), HasSubstr("--dry-run")));
  EXPECT_THAT(server.retries.script_RetryDeliveries.requests, IsEmpty());
}

TEST_F(OrdersTest, WhatIsNoNumberIsSaidWithItsArgument) {
  for (const char* bad : {"0", "abc", "1.5", "99999999999999999999", "S00042"}) {
    const Result result = Run({"retry", bad});
    EXPECT_EQ(result.code, 2) << bad;
    EXPECT_THAT(result.err, AllOf(HasSubstr("N: must be the number of a delivery"),
                                  HasSubstr("retries"), HasSubstr(std::string("\"") + bad + "\""),
                                  HasSubstr("see: pollerctl retry --help")));
  }
  EXPECT_THAT(Run({"jobs", "show", "abc"}).err,
              AllOf(HasSubstr("N: must be the number of a job"),
                    HasSubstr("see: pollerctl jobs show --help")));
  EXPECT_THAT(Run({"orders", "-n", "0"}).err, HasSubstr("-n: must be a whole number from 1"));
  EXPECT_THAT(Run({"send", "-c", "a", "--last", "1001"}).err, HasSubstr("from 1 to 1000"));
  EXPECT_THAT(Run({"events", "--after", "-1"}).err, HasSubstr("from 0"));
  EXPECT_THAT(Run({"events", "--timeout", "2s"}).err, HasSubstr("--timeout"));
}

TEST_F(OrdersTest, RetryWantsANumberOrAll) {
  EXPECT_EQ(Run({"retry"}).code, 2);
  EXPECT_EQ(Run({"retry", "17", "--all"}).code, 2);
  EXPECT_EQ(Run({"retry", "17", "--dead"}).code, 2);
}

TEST_F(OrdersTest, BackupSaysWhereItIsAndThatTheKeyIsNotInIt) {
  server.admin.script_BackupDatabase.answer = [](const api::BackupDatabaseRequest& request,
                                                 api::BackupDatabaseResponse& response) {
    response.set_path("/data/backups/" + request.name());
    response.set_size_bytes(3 << 20);
    return grpc::Status::OK;
  };
  const Result result = Run({"backup", "today.db"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("/data/backups/today.db"), HasSubstr("3.0 MiB")));
  EXPECT_THAT(result.err, HasSubstr("key"));
}

}  // namespace
}  // namespace poller::client
