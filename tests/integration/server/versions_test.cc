// The whole loop, from Odoo to the receiver, against every version. 16 and 22 are simulated as
// Odoo's documentation tells, the others as they were recorded.
#include <gmock/gmock.h>

#include <string>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class VersionLoopTest : public ServerFixture, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    sim_.SetVersion(GetParam());
    Start();
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings();
    request.mutable_connection()->set_external_id("C1");
    request.mutable_connection()->set_send_cancelled(true);
    const auto made = Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request);
    ASSERT_TRUE(made.ok()) << made.status.error_message();
    shop_ = made->connection().id();
    ASSERT_EQ(Poll(shop_).error(), "");
  }

  // Polls, and waits until the receiver has accepted `revision` of the order.
  test::ReceivedOrder Delivered(test::RecordId order, std::int64_t revision) {
    EXPECT_EQ(Poll(shop_).error(), "");
    for (int i = 0; i < 1000; ++i) {
      const auto found = receiver_.FindOrder("C1", order);
      if (found.has_value() && found->accepted_revision >= revision) return *found;
      const std::int64_t accepted = receiver_.Summary().accepted_ids;
      receiver_.WaitFor([&](const auto& now) { return now.accepted_ids > accepted; },
                        absl::Milliseconds(20));
    }
    ADD_FAILURE() << "revision " << revision << " did not arrive";
    return {};
  }

  std::int64_t shop_ = 0;
};

TEST_P(VersionLoopTest, FromOdooToTheReceiver) {
  const test::RecordId order = ConfirmOrder();
  test::ReceivedOrder seen = Delivered(order, 1);
  EXPECT_EQ(seen.event, "order.confirmed");
  EXPECT_EQ(seen.state, "sale");
  EXPECT_GT(seen.amount_total, 0);

  ASSERT_OK(db_.EditOrderRef(order, "PO-7"));
  seen = Delivered(order, 2);
  EXPECT_EQ(seen.event, "order.updated");
  EXPECT_THAT(seen.accepted_body, HasSubstr("PO-7"));

  // Of its line, which does not move the order: a forced poll asks for lines too.
  ASSERT_OK(db_.EditLineDescription(db_.FindOrder(order)->lines.at(0).id, "engraved"));
  seen = Delivered(order, 3);
  EXPECT_THAT(seen.accepted_body, HasSubstr("engraved"));

  ASSERT_OK(db_.CancelOrder(order));
  seen = Delivered(order, 4);
  EXPECT_EQ(seen.event, "order.cancelled");
  EXPECT_EQ(seen.state, "cancel");

  ASSERT_OK(db_.Reconfirm(order));
  seen = Delivered(order, 5);
  EXPECT_EQ(seen.event, "order.confirmed");
  EXPECT_THAT(receiver_.Violations(), IsEmpty());
}

TEST_P(VersionLoopTest, SaysWhatItSpeaks) {
  const v1::ConnectionState state = Shop(shop_).state();
  EXPECT_EQ(state.odoo_version(), std::to_string(GetParam()) + ".0");
  EXPECT_EQ(state.protocol_in_use(),
            GetParam() >= 19 ? v1::ODOO_PROTOCOL_JSON2 : v1::ODOO_PROTOCOL_JSONRPC);
}

INSTANTIATE_TEST_SUITE_P(Versions, VersionLoopTest, testing::Values(16, 17, 18, 19, 22),
                         [](const auto& param_info) {
                           const int version = param_info.param;
                           const bool recorded = version >= 17 && version <= 19;
                           return "Odoo" + std::to_string(version) +
                                  (recorded ? "" : "NotRecorded");
                         });

class ProtocolSettingTest : public ServerFixture {};

TEST_F(ProtocolSettingTest, JsonRpcOnAnOdooThatHasJson2IsWorthAWord) {
  sim_.SetVersion(19);
  Start();
  v1::CreateConnectionRequest request;
  *request.mutable_connection() = ShopSettings();
  request.mutable_connection()->mutable_odoo()->set_protocol(v1::ODOO_PROTOCOL_JSONRPC);
  const auto made = Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request);
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  ASSERT_EQ(Poll(made->connection().id()).error(), "");
  const v1::ConnectionState state = Shop(made->connection().id()).state();
  EXPECT_EQ(state.protocol_in_use(), v1::ODOO_PROTOCOL_JSONRPC);
  EXPECT_THAT(state.protocol_warning(), HasSubstr("JSON-2"));
}

}  // namespace
}  // namespace poller
