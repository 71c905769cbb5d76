// Whatever changes something leaves an event that says who asked for it.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/integration/server/server_fixture.h"
#include "tests/support/api_methods.h"

namespace poller {
namespace {

using Connections = v1::ConnectionService::Stub;
using Retries = v1::RetryQueueService::Stub;
using Jobs = v1::JobService::Stub;
using Admin = v1::AdminService::Stub;

// What reads, tries or watches. PollConnection only brings forward what happens anyway, and what it
// finds are events; TestConnection changes nothing but the end of a suspension, which is one.
const std::set<std::string> kReads = {
    "GetConnection", "ListConnections",  "TestConnection", "PollConnection",  "ListSyncLogs",
    "ListRetries",   "StreamSyncEvents", "GetRetry",       "ListOrders",      "GetOrder",
    "GetJob",        "ListJobs",         "WatchJob",       "GetServerStatus", "ListTokens"};

std::string TextOf(const google::protobuf::Message& message, const char* name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// The detail of whatever type.
const google::protobuf::Message* DetailOf(const v1::SyncEvent& event) {
  const auto* detail = v1::SyncEvent::descriptor()->FindOneofByName("detail");
  const auto* field = event.GetReflection()->GetOneofFieldDescriptor(event, detail);
  return field == nullptr ? nullptr : &event.GetReflection()->GetMessage(event, field);
}

class AuditTest : public ServerFixture {
 protected:
  void SetUp() override {
    Start();
    shop_ = AddShop().id();
  }

  template <class Stub, class Request, class Response>
  Answer<Response> Do(const std::unique_ptr<Stub>& stub,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      Request request) {
    request.set_request_id(request_id_);
    auto answer = Call(stub, method, request);
    EXPECT_TRUE(answer.ok()) << Request::descriptor()->name() << ": "
                             << answer.status.error_message();
    return answer;
  }
  template <class Request>
  Request OfShop() {
    Request request;
    *request.mutable_connection() = Ref(shop_);
    return request;
  }
  // An order whose delivery failed, and which is not in flight.
  std::int64_t Failed() {
    receiver_.SetBehaviour({.status = 500});
    v1::StreamSyncEventsRequest from_now;
    from_now.set_after_sequence(NewestSequence());
    EventReader reader = Events(from_now);
    ConfirmOrder();
    Poll(shop_);
    const auto failed = reader.Until(v1::EVENT_TYPE_DELIVERY_FAILED);
    const std::int64_t id = failed ? failed->delivery_outcome().delivery_id() : 0;
    SetPaused(true);
    v1::GetRetryRequest get;
    get.set_delivery_id(id);
    while (Call(retries_, &Retries::GetRetry, get)->delivery().in_flight()) {
    }
    return id;
  }
  void SetPaused(bool paused) {
    if (paused) {
      EXPECT_TRUE(
          Call(connections_, &Connections::PauseConnection, OfShop<v1::PauseConnectionRequest>())
              .ok());
    } else {
      EXPECT_TRUE(
          Call(connections_, &Connections::ResumeConnection, OfShop<v1::ResumeConnectionRequest>())
              .ok());
    }
  }
  // An event of the last call: by us, under its request id.
  bool Noted(std::int64_t after) {
    const std::int64_t newest = NewestSequence();
    if (newest == after) return false;
    v1::StreamSyncEventsRequest request;
    request.set_after_sequence(after);
    EventReader reader = Events(request);
    while (const auto event = reader.NextEvent()) {
      const auto* detail = DetailOf(*event);
      if (detail != nullptr && TextOf(*detail, "actor") == "admin" &&
          TextOf(*detail, "request_id") == request_id_) {
        return true;
      }
      if (event->sequence() >= newest) break;
    }
    return false;
  }
  std::map<std::string, std::function<void()>> Mutations();

  std::string request_id_;
  std::int64_t shop_ = 0;
};

std::map<std::string, std::function<void()>> AuditTest::Mutations() {
  std::map<std::string, std::function<void()>> all;
  all["CreateConnection"] = [this] {
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings("another");
    Do(connections_, &Connections::CreateConnection, request);
  };
  all["UpdateConnection"] = [this] {
    v1::UpdateConnectionRequest request;
    request.mutable_connection()->set_id(shop_);
    request.mutable_connection()->set_name("renamed");
    request.mutable_update_mask()->add_paths("name");
    Do(connections_, &Connections::UpdateConnection, request);
  };
  all["PauseConnection"] = [this] {
    SetPaused(false);
    Do(connections_, &Connections::PauseConnection, OfShop<v1::PauseConnectionRequest>());
  };
  all["ResumeConnection"] = [this] {
    SetPaused(true);
    Do(connections_, &Connections::ResumeConnection, OfShop<v1::ResumeConnectionRequest>());
  };
  all["ResetCircuit"] = [this] {
    Do(connections_, &Connections::ResetCircuit, OfShop<v1::ResetCircuitRequest>());
  };
  all["RotateWebhookSecret"] = [this] {
    auto request = OfShop<v1::RotateWebhookSecretRequest>();
    request.mutable_overlap();
    request.set_secret("shop-secret-2");
    receiver_.AddSecret("", "shop-secret-2");
    Do(connections_, &Connections::RotateWebhookSecret, request);
  };
  all["DeleteConnection"] = [this] {
    v1::CreateConnectionRequest create;
    *create.mutable_connection() = ShopSettings("doomed");
    const auto created = Call(connections_, &Connections::CreateConnection, create);
    v1::DeleteConnectionRequest request;
    *request.mutable_connection() = Ref(created->connection().id());
    request.set_force(true);
    Do(connections_, &Connections::DeleteConnection, request);
  };
  all["RetryDelivery"] = [this] {
    v1::RetryDeliveryRequest request;
    request.set_delivery_id(Failed());
    Do(retries_, &Retries::RetryDelivery, request);
  };
  all["RetryDeliveries"] = [this] {
    Failed();
    Do(retries_, &Retries::RetryDeliveries, v1::RetryDeliveriesRequest());
  };
  all["DiscardDelivery"] = [this] {
    v1::DiscardDeliveryRequest request;
    request.set_delivery_id(Failed());
    Do(retries_, &Retries::DiscardDelivery, request);
  };
  all["ResendOrders"] = [this] {
    ConfirmOrder();
    Poll(shop_);
    EXPECT_TRUE(
        receiver_.WaitFor([](const auto& s) { return s.accepted_orders > 0; }, absl::Seconds(20)));
    auto request = OfShop<v1::ResendOrdersRequest>();
    request.set_last_n(1);
    Do(orders_, &v1::OrderService::Stub::ResendOrders, request);
  };
  all["StartBackfill"] = [this] {
    Do(jobs_, &Jobs::StartBackfill, OfShop<v1::StartBackfillRequest>());
  };
  all["StartReconcile"] = [this] {
    Do(jobs_, &Jobs::StartReconcile, OfShop<v1::StartReconcileRequest>());
  };
  all["CancelJob"] = [this] {
    SetPaused(true);  // so that it is not over before
    const auto job = Call(jobs_, &Jobs::StartBackfill, OfShop<v1::StartBackfillRequest>());
    EXPECT_TRUE(job.ok()) << job.status.error_message();
    v1::CancelJobRequest request;
    request.set_job_id(job->job().id());
    Do(jobs_, &Jobs::CancelJob, request);
  };
  all["BackupDatabase"] = [this] {
    v1::BackupDatabaseRequest request;
    request.set_name("audit.db");
    Do(status_, &Admin::BackupDatabase, request);
  };
  all["CreateToken"] = [this] {
    v1::CreateTokenRequest request;
    request.set_name("audit");
    request.set_role(v1::TOKEN_ROLE_VIEWER);
    Do(status_, &Admin::CreateToken, request);
  };
  all["RevokeToken"] = [this] {
    v1::CreateTokenRequest create;
    create.set_name("doomed");
    create.set_role(v1::TOKEN_ROLE_VIEWER);
    v1::RevokeTokenRequest request;
    request.set_token_id(Call(status_, &Admin::CreateToken, create)->token().id());
    Do(status_, &Admin::RevokeToken, request);
  };
  return all;
}

TEST_F(AuditTest, EveryMethodIsKnownToReadOrToChange) {
  const auto mutations = Mutations();
  for (const auto* method : test::ApiMethods()) {
    EXPECT_NE(kReads.count(method->name()), mutations.count(method->name()))
        << method->name() << " is in neither table, or in both";
  }
}

TEST_F(AuditTest, WhatChangesSomethingTakesARequestId) {
  const auto mutations = Mutations();
  for (const auto* method : test::ApiMethods()) {
    EXPECT_EQ(method->input_type()->FindFieldByName("request_id") != nullptr,
              mutations.count(method->name()) > 0)
        << method->name();
  }
}

TEST_F(AuditTest, EveryChangeIsAnEventWithActorAndRequestId) {
  for (const auto& [name, act] : Mutations()) {
    SetPaused(false);
    receiver_.ClearBehaviour();
    request_id_ = "audit-" + name;
    const std::int64_t before = NewestSequence();
    act();
    EXPECT_TRUE(Noted(before)) << name << " left no event";
  }
}

// The answer of the first call, and no second event.
TEST_F(AuditTest, ARepeatChangesNothing) {
  v1::PauseConnectionRequest pause = OfShop<v1::PauseConnectionRequest>();
  request_id_ = "once";
  const auto first = Do(connections_, &Connections::PauseConnection, pause);
  SetPaused(false);
  const std::int64_t before = NewestSequence();
  const auto second = Do(connections_, &Connections::PauseConnection, pause);
  EXPECT_EQ(first->SerializeAsString(), second->SerializeAsString());
  EXPECT_EQ(NewestSequence(), before);
  EXPECT_FALSE(Shop(shop_).paused_polling());
  ASSERT_TRUE(Stop());
  Start();
  EXPECT_EQ(Do(connections_, &Connections::PauseConnection, pause)->SerializeAsString(),
            first->SerializeAsString());
  pause.set_scope(v1::PAUSE_SCOPE_DELIVERY);
  pause.set_request_id(request_id_);
  EXPECT_THAT(Call(connections_, &Connections::PauseConnection, pause),
              FailsWith(grpc::ALREADY_EXISTS, "REQUEST_ID_REUSED"));
}

}  // namespace
}  // namespace poller
