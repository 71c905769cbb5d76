// The poller's path through real answers: client and mapper together, whole bodies compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/crypto/hash.h"
#include "core/odoo/odoo_client.h"
#include "core/orders/order_mapper.h"
#include "core/orders/payload.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/recorded_odoo.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Way {
  const char* version;
  OdooProtocol protocol;
  bool nested;
};
void PrintTo(const Way& way, std::ostream* out) {
  *out << "Odoo" << way.version << (way.protocol == OdooProtocol::kJson2 ? "Json2" : "JsonRpc")
       << (way.nested ? "Nested" : "Plain");
}

class ReplayTest : public testing::TestWithParam<Way> {
 protected:
  ReplayTest() {
    CryptoInit();
    odoo_.nested = GetParam().nested;
    Target target;
    target.url = "https://shop.example";
    target.database = odoo_.database();
    target.username = "admin";
    target.api_key = Secret("a-secret-key");
    target.protocol = GetParam().protocol;
    client_.emplace(http_, target, Session());
  }

  // Every order of the recordings.
  std::vector<OrderId> ListAll() {
    const absl::StatusOr<OrderPage> page =
        Await(client_->ListOrders(absl::FromUnixSeconds(1577836800), OrderId(20), 1000));
    EXPECT_OK(page);
    std::vector<OrderId> ids;
    if (page.ok()) {
      for (const ListedOrder& order : page->orders) ids.push_back(order.id);
    }
    return ids;
  }

  RecordedOdoo odoo_{GetParam().version};
  const std::string version_ = GetParam().version;
  ScriptedHttp http_{[this](const HttpRequest& request) { return odoo_.Answer(request); }};
  std::optional<Client> client_;
};

TEST_P(ReplayTest, EveryRecordedOrderBecomesTheExpectedBody) {
  const std::vector<OrderId> ids = ListAll();
  ASSERT_THAT(ids, SizeIs(10));
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_->ReadOrders(ids)));
  EXPECT_THAT(fetched.torn, IsEmpty());
  EXPECT_EQ(odoo_.Count("sale.order.search_read"), GetParam().nested ? 1 : 2);
  ASSERT_THAT(fetched.orders, SizeIs(10));
  const RelatedRecords related{fetched.lines, fetched.partners, fetched.products, fetched.templates,
                               fetched.attribute_values};
  for (const auto& record : fetched.orders) {
    ASSERT_OK_AND_ASSIGN(const Order order, MapOrder(record, related, odoo_.database()));
    const std::string content = EncodeContent(order, odoo_.database());
    ASSERT_OK_AND_ASSIGN(const std::string body,
                         RenderBody(content, "order.confirmed", "shop-" + version_, 1));
    EXPECT_EQ(body + "\n", ReadTestFile("expected/" + version_ + "/" + order.name + ".json"));
  }
}

TEST_P(ReplayTest, KnowsTheVersion) {
  EXPECT_THAT(Await(client_->Version()), IsOkAndHolds(version_ + ".0"));
  EXPECT_EQ(client_->session().server_version, version_ + ".0");
}

constexpr Way kWays[] = {
    {"17", OdooProtocol::kJsonRpc, false}, {"18", OdooProtocol::kJsonRpc, false},
    {"19", OdooProtocol::kJsonRpc, false}, {"19", OdooProtocol::kJson2, false},
    {"17", OdooProtocol::kJsonRpc, true},  {"18", OdooProtocol::kJsonRpc, true},
    {"19", OdooProtocol::kJsonRpc, true},  {"19", OdooProtocol::kJson2, true},
};
INSTANTIATE_TEST_SUITE_P(Ways, ReplayTest, testing::ValuesIn(kWays),
                         testing::PrintToStringParamName());

// Without nested reads.
class PlainReplayTest : public ReplayTest {};

TEST_P(PlainReplayTest, ReadsABatchWithOneCallAModel) {
  const std::vector<OrderId> ids = ListAll();
  ASSERT_OK(Await(client_->ReadOrders(ids)));
  odoo_.calls.clear();
  ASSERT_OK(Await(client_->ReadOrders(ids)));
  // Logged in, and the fields known, since the first batch.
  EXPECT_THAT(odoo_.calls,
              ElementsAre("sale.order.search_read", "sale.order.line.read", "res.partner.read",
                          "product.product.read", "product.template.read",
                          "product.template.attribute.value.read", "sale.order.read"));
}

TEST_P(PlainReplayTest, ReadsParentsThatTheOrdersDoNotMention) {
  // Order 24 goes to a nameless address; without its customer the address stands alone.
  odoo_.touch = [](const std::string& call, std::vector<boost::json::object>& rows) {
    if (call != "sale.order.search_read") return;
    for (auto& row : rows) row["partner_id"] = row["partner_shipping_id"];
  };
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_->ReadOrders({OrderId(24)})));
  EXPECT_EQ(odoo_.Count("res.partner.read"), 2);
  EXPECT_THAT(fetched.partners, SizeIs(2));
}

// A module was removed after the fields were asked for: the read fails as recorded, the fields are
// asked for again, and the rest is read.
TEST_P(PlainReplayTest, AsksForTheFieldsAgainAfterAnUnknownOne) {
  ASSERT_OK(Await(client_->ReadOrders({OrderId(22)})));
  odoo_.calls.clear();
  auto& fields = odoo_.fields["product.product"];
  fields.erase(std::find(fields.begin(), fields.end(), "barcode"));
  odoo_.FailNext("product.product.read",
                 LoadRecording(version_ + "/56-product_product-read.json").body.as_object());
  ASSERT_OK_AND_ASSIGN(const FetchedOrders fetched, Await(client_->ReadOrders({OrderId(22)})));
  EXPECT_THAT(fetched.products, SizeIs(2));
  EXPECT_EQ(odoo_.Count("product.product.read"), 2);
  EXPECT_EQ(odoo_.Count("product.product.fields_get"), 1);
}

TEST_P(PlainReplayTest, GivesUpWhenTheFieldsAreTheSame) {
  odoo_.FailNext("product.product.read",
                 LoadRecording(version_ + "/56-product_product-read.json").body.as_object());
  const auto fetched = Await(client_->ReadOrders({OrderId(22)}));
  EXPECT_EQ(ErrorKindOf(fetched.status()), ErrorKind::kQuery);
  EXPECT_THAT(Message(fetched.status()), testing::HasSubstr("Invalid field 'hs_code'"));
  EXPECT_EQ(odoo_.Count("product.product.read"), 1);
}

INSTANTIATE_TEST_SUITE_P(Ways, PlainReplayTest, testing::ValuesIn(kWays, kWays + 4),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace poller::odoo
