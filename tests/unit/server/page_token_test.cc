#include "server/rpc/page_token.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "odoopoller/v1/connection_service.pb.h"
#include "odoopoller/v1/order_service.pb.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

using odoopoller::v1::ListConnectionsRequest;
using odoopoller::v1::ListOrdersRequest;
using testing::HasSubstr;

TEST(PageTest, IsFiftyAtFirst) {
  ASSERT_OK_AND_ASSIGN(const Page page, ReadPage(ListConnectionsRequest()));
  EXPECT_EQ(page.size, 50);
  EXPECT_EQ(page.after, 0);
}

TEST(PageTest, TakesMoreThanAThousandAsAThousandAndRefusesLessThanZero) {
  ListConnectionsRequest request;
  request.set_page_size(5000);
  EXPECT_EQ(ReadPage(request)->size, 1000);
  request.set_page_size(-1);
  EXPECT_THAT(ReadPage(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
}

TEST(PageTest, GoesOnWhereTheTokenSays) {
  ListOrdersRequest request;
  request.set_name_prefix("S0");
  request.mutable_connection()->set_name("shop");
  request.set_page_token(PageToken(request, 1'234'567'890'123));
  request.set_page_size(7);  // may change between pages
  ASSERT_OK_AND_ASSIGN(const Page page, ReadPage(request));
  EXPECT_EQ(page.after, 1'234'567'890'123);
}

TEST(PageTest, RefusesTheTokenOfAnotherQuery) {
  ListOrdersRequest request;
  const std::string token = PageToken(request, 5);
  request.set_name_prefix("S0");
  request.set_page_token(token);
  const auto page = ReadPage(request);
  EXPECT_THAT(page, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  EXPECT_EQ(Reason(page.status()), "PAGE_TOKEN_INVALID");

  ListConnectionsRequest other;
  other.set_page_token(token);
  EXPECT_THAT(ReadPage(other), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PageTest, RefusesWhatIsNoToken) {
  for (const char* const token : {"x", "AAAA", "%%%", "AQAAAAAAAAAFAAAAAAAAAAAAAAAAAAAAAA"}) {
    ListOrdersRequest request;
    request.set_page_token(token);
    EXPECT_THAT(ReadPage(request),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")))
        << token;
  }
}

TEST(FillPageTest, GivesATokenOnlyIfThereIsMore) {
  const auto convert = [](int id) {
    odoopoller::v1::Order order;
    order.set_order_id(id);
    return std::pair<std::int64_t, odoopoller::v1::Order>(id, order);
  };
  ListOrdersRequest request;
  Page page;
  page.size = 2;
  odoopoller::v1::ListOrdersResponse full;
  FillPage(request, page, std::vector{5, 4}, *full.mutable_orders(), full, convert);
  EXPECT_EQ(full.orders_size(), 2);
  EXPECT_EQ(full.next_page_token(), "");

  odoopoller::v1::ListOrdersResponse more;
  FillPage(request, page, std::vector{5, 4, 3}, *more.mutable_orders(), more, convert);
  EXPECT_EQ(more.orders_size(), 2);
  request.set_page_token(more.next_page_token());
  EXPECT_EQ(ReadPage(request)->after, 4);
}

TEST(FillPageTest, EndsEarlyWhenItIsLarge) {
  const auto convert = [](int id) {
    odoopoller::v1::Order order;
    order.set_last_error(std::string(1 << 20, 'x'));
    return std::pair<std::int64_t, odoopoller::v1::Order>(id, order);
  };
  odoopoller::v1::ListOrdersResponse response;
  FillPage(ListOrdersRequest(), Page(), std::vector{9, 8, 7, 6, 5}, *response.mutable_orders(),
           response, convert);
  EXPECT_LT(response.ByteSizeLong(), 4u << 20);
  EXPECT_NE(response.next_page_token(), "");
}

}  // namespace
}  // namespace poller::rpc
