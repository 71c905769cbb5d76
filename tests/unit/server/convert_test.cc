#include <gmock/gmock.h>

#include <map>
#include <string>

#include "core/base/text.h"
#include "core/orders/payload.h"
#include "odoopoller/v1/event.pb.h"
#include "server/rpc/convert_common.h"
#include "server/rpc/convert_delivery.h"
#include "server/rpc/convert_event.h"
#include "server/rpc/convert_sync_log.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
using testing::HasSubstr;

TEST(TimeTest, SurvivesTheWayThere) {
  const absl::Time time = absl::FromUnixMillis(1'768'473'062'125);
  const auto proto = ToProto(time);
  EXPECT_EQ(proto.seconds(), 1'768'473'062);
  EXPECT_EQ(proto.nanos(), 125'000'000);
  EXPECT_EQ(ToProto(absl::FromUnixMillis(-1)).seconds(), -1);
  EXPECT_EQ(ToProto(absl::FromUnixMillis(-1)).nanos(), 999'000'000);
}

TEST(TimeTest, StaysUnsetWhereThereIsNone) {
  v1::Delivery delivery;
  SetTime(delivery, &v1::Delivery::mutable_create_time, absl::InfinitePast());
  EXPECT_FALSE(delivery.has_create_time());
}

TEST(DurationTest, SurvivesBothWays) {
  for (const absl::Duration duration :
       {absl::Milliseconds(1500), -absl::Milliseconds(1500), absl::ZeroDuration()}) {
    EXPECT_EQ(FromProto(ToProto(duration)), duration);
  }
  google::protobuf::Duration odd;
  odd.set_seconds(1);
  odd.set_nanos(-1);
  EXPECT_EQ(FromProto(odd), std::nullopt);
}

TEST(CutPayloadTest, LeavesShortOnesAlone) {
  const CutText cut = CutPayload("äb", 3);
  EXPECT_EQ(cut.text, "äb");
  EXPECT_FALSE(cut.truncated);
  EXPECT_EQ(cut.size, 3);
}

TEST(CutPayloadTest, CutsBetweenCharacters) {
  EXPECT_EQ(CutPayload("aä", 2).text, "a");
  EXPECT_EQ(CutPayload("äb", 2).text, "ä");
  EXPECT_EQ(CutPayload("a€b", 3).text, "a");
  EXPECT_EQ(CutPayload("a€b", 4).text, "a€");
  EXPECT_EQ(CutPayload("abc", 2).text, "ab");
  EXPECT_TRUE(CutPayload("abc", 2).truncated);
  EXPECT_EQ(CutPayload("abc", 2).size, 3);
}

TEST(CutPayloadTest, IsAlwaysUtf8) {
  EXPECT_TRUE(IsValidUtf8(CutPayload("\xff\xfe{\"a\":1}").text));
}

TEST(EventTypeTest, HasTheModelsNumbers) {
  for (int number = 1; number <= 99; ++number) {
    if (!v1::EventType_IsValid(number)) continue;
    EXPECT_NE(EventTypeName(static_cast<EventType>(number)), "")
        << v1::EventType_Name(static_cast<v1::EventType>(number));
    EXPECT_EQ(FromProto(static_cast<v1::EventType>(number)), static_cast<EventType>(number));
  }
  EXPECT_EQ(FromProto(v1::EVENT_TYPE_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(FromProto(static_cast<v1::EventType>(999)), std::nullopt);
}

TEST(EventTest, CarriesTheDetailOfItsType) {
  SyncEvent event;
  event.sequence = EventSequence(9);
  event.type = EventType::kDeliveryFailed;
  event.detail.delivery = DeliveryId(4);
  event.detail.http_status = 503;
  event.detail.next_attempt_at = absl::FromUnixSeconds(60);
  const v1::SyncEvent proto = ToProto(event, "log");
  EXPECT_EQ(proto.sequence(), 9);
  EXPECT_EQ(proto.log_id(), "log");
  EXPECT_EQ(proto.type(), v1::EVENT_TYPE_DELIVERY_FAILED);
  EXPECT_EQ(proto.delivery_outcome().delivery_id(), 4);
  EXPECT_EQ(proto.delivery_outcome().http_status(), 503);
  EXPECT_EQ(proto.delivery_outcome().next_attempt_time().seconds(), 60);
}

TEST(EventTest, EveryNamedTypeHasADetail) {
  for (int number = 1; number <= 99; ++number) {
    if (!v1::EventType_IsValid(number)) continue;
    SyncEvent event;
    event.type = static_cast<EventType>(number);
    EXPECT_NE(ToProto(event, "log").detail_case(), v1::SyncEvent::DETAIL_NOT_SET)
        << v1::EventType_Name(static_cast<v1::EventType>(number));
  }
}

DeliveryDetails Details() {
  Order order;
  order.id = OrderId(42);
  order.name = "S00042";
  order.state = "sale";
  DeliveryDetails details;
  details.delivery.order = order.id;
  details.delivery.revision = 1;
  details.webhook_connection_id = "shop-1";
  details.content = EncodeContent(order, "db");
  return details;
}

TEST(BodyTest, IsWhatIsSent) {
  DeliveryDetails details = Details();
  details.delivery.event = "order.updated";
  ASSERT_OK_AND_ASSIGN(const CutText body, BodyOf(details));
  EXPECT_EQ(body.text, *RenderBody(details.content, "order.updated", "shop-1", 1));
}

TEST(BodyTest, IsWhatWouldBeSentBeforeTheFirstAttempt) {
  DeliveryDetails details = Details();
  EXPECT_THAT(BodyOf(details)->text, HasSubstr("order.confirmed"));
  details.delivery.revision = 2;
  EXPECT_THAT(BodyOf(details)->text, HasSubstr("order.updated"));
  details.delivery.condition = OrderCondition::kCancelled;
  EXPECT_THAT(BodyOf(details)->text, HasSubstr("order.cancelled"));
}

TEST(RetryTest, ShowsTheRawRecordOfWhatCouldNotBeMapped) {
  DeliveryDetails details = Details();
  details.unmappable = true;
  details.content = R"({"id":42})";
  ASSERT_OK_AND_ASSIGN(const auto retry, RetryToProto(details));
  EXPECT_EQ(retry.raw_record(), R"({"id":42})");
  EXPECT_EQ(retry.payload(), "");
}

TEST(RetryTest, CutsALongPayloadAndSaysSo) {
  Order order;
  order.note = std::string(2 << 20, 'n');
  DeliveryDetails details = Details();
  details.content = EncodeContent(order, "db");
  ASSERT_OK_AND_ASSIGN(const auto retry, RetryToProto(details));
  EXPECT_TRUE(retry.payload_truncated());
  EXPECT_LE(retry.payload().size(), kMaxPayload);
  EXPECT_GT(retry.payload_size(), 2 << 20);
}

TEST(DeliveryTest, HasANextAttemptOnlyWhilePending) {
  DeliveryDetails details = Details();
  details.delivery.next_attempt_at = absl::FromUnixSeconds(60);
  EXPECT_TRUE(ToProto(details).has_next_attempt_time());
  details.delivery.status = DeliveryStatus::kDead;
  EXPECT_FALSE(ToProto(details).has_next_attempt_time());
}

TEST(SyncLogTest, NamesTheKindsOfTheApi) {
  const std::map<std::string, v1::SyncKind> kinds = {
      {"poll", v1::SYNC_KIND_POLL},           {"start", v1::SYNC_KIND_START},
      {"lines", v1::SYNC_KIND_LINES},         {"resend", v1::SYNC_KIND_RESEND},
      {"sweep", v1::SYNC_KIND_SWEEP},         {"backfill", v1::SYNC_KIND_BACKFILL},
      {"reconcile", v1::SYNC_KIND_RECONCILE},
  };
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(v1::SyncKind_ARRAYSIZE) - 1);
  SyncLog log;
  for (const auto& [name, kind] : kinds) {
    log.kind = name;
    EXPECT_EQ(ToProto(log).kind(), kind) << name;
  }
  log.kind = "of-tomorrow";
  EXPECT_EQ(ToProto(log).kind(), v1::SYNC_KIND_UNSPECIFIED);
}

}  // namespace
}  // namespace poller::rpc
