// All lists page alike.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/rpc/page_token.h"
#include "tests/integration/server/raw_call.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/api_methods.h"

namespace poller {
namespace {

namespace pb = google::protobuf;

class PagingTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  static std::vector<const pb::MethodDescriptor*> Lists() {
    std::vector<const pb::MethodDescriptor*> lists;
    for (const auto* method : test::ApiMethods()) {
      if (method->input_type()->FindFieldByName("page_size") != nullptr) lists.push_back(method);
    }
    return lists;
  }
  std::unique_ptr<pb::Message> RequestOf(const pb::MethodDescriptor& method) {
    return std::unique_ptr<pb::Message>(factory_.GetPrototype(method.input_type())->New());
  }
  static void SetSize(pb::Message& request, int size) {
    request.GetReflection()->SetInt32(&request,
                                      request.GetDescriptor()->FindFieldByName("page_size"), size);
  }
  static void SetToken(pb::Message& request, const std::string& token) {
    request.GetReflection()->SetString(
        &request, request.GetDescriptor()->FindFieldByName("page_token"), token);
  }
  Answer<std::string> Ask(const pb::MethodDescriptor& method, const pb::Message& request) {
    grpc::ClientContext context;
    Prepare(context, admin_);
    RawAnswer raw = CallByName(Channel(), context, method, request.SerializeAsString());
    return {raw.status, raw.body};
  }

  pb::DynamicMessageFactory factory_;
};

TEST_F(PagingTest, EveryListPages) {
  EXPECT_GE(Lists().size(), 6u);
  for (const auto* method : test::ApiMethods()) {
    if (!method->name().starts_with("List")) continue;
    EXPECT_NE(method->input_type()->FindFieldByName("page_token"), nullptr) << method->name();
    EXPECT_NE(method->output_type()->FindFieldByName("next_page_token"), nullptr) << method->name();
  }
}

TEST_F(PagingTest, ANegativeSizeIsAnErrorAndAnEnormousOneIsCut) {
  for (const auto* method : Lists()) {
    const auto request = RequestOf(*method);
    SetSize(*request, -1);
    const auto refused = Ask(*method, *request);
    EXPECT_EQ(refused.status.error_code(), grpc::INVALID_ARGUMENT) << method->name();
    EXPECT_THAT(WrongFields(refused.status), testing::ElementsAre("page_size")) << method->name();
    SetSize(*request, 1'000'000'000);
    const auto taken = Ask(*method, *request);
    EXPECT_TRUE(taken.ok()) << method->name() << ": " << taken.status.error_message();
  }
}

TEST_F(PagingTest, ATokenThatIsNoneIsRefused) {
  for (const auto* method : Lists()) {
    for (const std::string& token : {std::string("nonsense"), std::string(1, 'A')}) {
      const auto request = RequestOf(*method);
      SetToken(*request, token);
      EXPECT_THAT(Ask(*method, *request), FailsWith(grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"))
          << method->name();
    }
  }
}

// Fields that say how to page, or that name the call, are not the query's.
TEST_F(PagingTest, ATokenBelongsToItsQuery) {
  const std::set<std::string> of_the_call = {"page_size", "page_token", "request_id"};
  for (const auto* method : Lists()) {
    const auto request = RequestOf(*method);
    const std::string token = rpc::PageToken(*request, 1);
    SetToken(*request, token);
    SetSize(*request, 7);
    const auto same = Ask(*method, *request);
    EXPECT_TRUE(same.ok()) << method->name() << ": " << same.status.error_message();
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const pb::FieldDescriptor* const field = method->input_type()->field(i);
      if (of_the_call.contains(field->name())) continue;
      const auto other = RequestOf(*method);
      SetToken(*other, token);
      const pb::Reflection& reflection = *other->GetReflection();
      switch (field->cpp_type()) {
        case pb::FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(other.get(), field, true);
          break;
        case pb::FieldDescriptor::CPPTYPE_ENUM:
          reflection.SetEnumValue(other.get(), field, 1);
          break;
        case pb::FieldDescriptor::CPPTYPE_STRING:
          reflection.SetString(other.get(), field, "x");
          break;
        case pb::FieldDescriptor::CPPTYPE_MESSAGE:
          reflection.MutableMessage(other.get(), field);
          break;
        default:
          ADD_FAILURE() << "no value for " << field->full_name();
      }
      EXPECT_THAT(Ask(*method, *other), FailsWith(grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"))
          << method->name() << " with another " << field->name();
    }
  }
}

class ConnectionListTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  void Add(const std::string& name) {
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings(name);
    request.mutable_connection()->set_paused_polling(true);
    EXPECT_TRUE(Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request).ok());
  }
  Answer<v1::ListConnectionsResponse> List(const v1::ListConnectionsRequest& request) {
    return Call(connections_, &v1::ConnectionService::Stub::ListConnections, request);
  }
};

TEST_F(ConnectionListTest, PagesInTheOrderThatIsAskedFor) {
  for (const char* name : {"b", "d", "a"}) Add(name);
  v1::ListConnectionsRequest request;
  request.set_page_size(1);
  request.set_order(v1::CONNECTION_ORDER_NAME);
  std::vector<std::string> names;
  do {
    const auto page = List(request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const auto& connection : page->connections()) names.push_back(connection.name());
    if (names.size() == 1) Add("c");
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, testing::ElementsAre("a", "b", "c", "d"));
}

TEST_F(ConnectionListTest, KnowsItsOrders) {
  Add("a");
  v1::ListConnectionsRequest request;
  for (const auto order : {v1::CONNECTION_ORDER_ID, v1::CONNECTION_ORDER_NAME,
                           v1::CONNECTION_ORDER_OLDEST_WAITING, v1::CONNECTION_ORDER_LAST_POLL}) {
    request.set_order(order);
    EXPECT_EQ(List(request)->connections_size(), 1);
    request.set_unhealthy(true);
    EXPECT_EQ(List(request)->connections_size(), 0);
    request.set_unhealthy(false);
  }
  request.set_order(static_cast<v1::ConnectionOrder>(99));
  EXPECT_THAT(WrongFields(List(request).status), testing::ElementsAre("order"));
}

}  // namespace
}  // namespace poller
