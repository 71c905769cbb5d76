#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/server/event_writer.h"
#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::Contains;
using testing::HasSubstr;
using Stub = v1::ConnectionService::Stub;

class EventStreamTest : public ServerFixture {
 protected:
  static v1::StreamSyncEventsRequest After(std::int64_t sequence) {
    v1::StreamSyncEventsRequest request;
    request.set_after_sequence(sequence);
    return request;
  }
  v1::Connection AddQuiet(const std::string& name) {
    return test::AddPaused(channel_, admin_, ShopSettings(name));
  }
  // Two events.
  void Toggle(std::int64_t id) {
    v1::ResumeConnectionRequest resume;
    *resume.mutable_connection() = Ref(id);
    EXPECT_TRUE(Call(connections_, &Stub::ResumeConnection, resume).ok());
    v1::PauseConnectionRequest pause;
    *pause.mutable_connection() = Ref(id);
    EXPECT_TRUE(Call(connections_, &Stub::PauseConnection, pause).ok());
  }
  std::int64_t OldestSequence() {
    const auto status =
        Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status.error_message();
    return status->event_log().oldest_sequence();
  }
  // All events of the log, by sequence.
  std::vector<std::int64_t> Everything() {
    const std::int64_t newest = NewestSequence();
    EventReader reader = Events(After(0));
    std::vector<std::int64_t> sequences;
    while (const auto event = reader.NextEvent()) {
      sequences.push_back(event->sequence());
      if (event->sequence() >= newest) break;
    }
    return sequences;
  }
};

TEST_F(EventStreamTest, BeginsWithAHeartbeat) {
  Start();
  AddQuiet("shop");
  EventReader reader = Events(v1::StreamSyncEventsRequest());
  const auto message = reader.Next();
  ASSERT_TRUE(message.has_value() && message->has_heartbeat());
  EXPECT_EQ(message->heartbeat().sequence(), NewestSequence());
  EXPECT_NE(message->heartbeat().log_id(), "");
}

TEST_F(EventStreamTest, TellsWhatHappensFromNowOn) {
  Start();
  AddQuiet("before");
  EventReader reader = Events(v1::StreamSyncEventsRequest());
  ASSERT_TRUE(reader.NextHeartbeat().has_value());
  AddQuiet("after");
  const auto event = reader.NextEvent();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->type(), v1::EVENT_TYPE_CONNECTION_CREATED);
  EXPECT_EQ(event->connection_name(), "after");
}

TEST_F(EventStreamTest, ResumesAtAnyPointWithoutGapOrRepeat) {
  Start();
  const v1::Connection shop = AddQuiet("shop");
  for (int i = 0; i < 10; ++i) Toggle(shop.id());
  const std::vector<std::int64_t> all = Everything();
  ASSERT_GE(all.size(), 21u);
  std::vector<std::int64_t> read;
  std::int64_t after = 0;
  while (read.size() < all.size()) {
    EventReader reader = Events(After(after));
    for (int i = 0; i < 4 && read.size() < all.size(); ++i) {
      const auto event = reader.NextEvent();
      ASSERT_TRUE(event.has_value());
      read.push_back(event->sequence());
      after = event->sequence();
    }
  }
  EXPECT_EQ(read, all);
}

TEST_F(EventStreamTest, HeartbeatsMovePastWhatDoesNotMatch) {
  Start(absl::Milliseconds(20));
  const v1::Connection shop = AddQuiet("shop");
  v1::StreamSyncEventsRequest request = After(0);
  request.add_types(v1::EVENT_TYPE_CONNECTION_DELETED);
  EventReader reader = Events(request);
  Toggle(shop.id());
  const std::int64_t newest = NewestSequence();
  std::int64_t scanned = 0;
  while (scanned < newest) {
    const auto message = reader.Next();
    ASSERT_TRUE(message.has_value() && message->has_heartbeat());
    EXPECT_GE(message->heartbeat().sequence(), scanned);
    scanned = message->heartbeat().sequence();
  }
}

TEST_F(EventStreamTest, HeartbeatsMovePastOtherConnections) {
  Start(absl::Milliseconds(20));
  const v1::Connection loud = AddQuiet("loud");
  v1::StreamSyncEventsRequest request = After(NewestSequence() + 1);
  *request.mutable_connection() = Ref(AddQuiet("quiet").id());
  EventReader reader = Events(request);
  Toggle(loud.id());
  const std::int64_t newest = NewestSequence();
  std::int64_t scanned = 0;
  while (scanned < newest) {
    const auto message = reader.Next();
    ASSERT_TRUE(message.has_value() && message->has_heartbeat());
    scanned = message->heartbeat().sequence();
  }
}

TEST_F(EventStreamTest, FiltersByConnectionAndType) {
  Start();
  const v1::Connection one = AddQuiet("one");
  const v1::Connection two = AddQuiet("two");
  Toggle(one.id());
  Toggle(two.id());
  v1::StreamSyncEventsRequest request = After(0);
  request.mutable_connection()->set_name("two");
  request.add_types(v1::EVENT_TYPE_CONNECTION_PAUSED);
  EventReader reader = Events(request);
  const auto event = reader.NextEvent();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->connection_id(), two.id());
  EXPECT_EQ(event->type(), v1::EVENT_TYPE_CONNECTION_PAUSED);
}

TEST_F(EventStreamTest, FollowsAnOrderToItsReceiver) {
  Start();
  const v1::Connection shop = AddShop();
  v1::StreamSyncEventsRequest request = After(NewestSequence());
  request.set_include_payload(true);
  EventReader reader = Events(request);
  ConfirmOrder();
  Poll(shop.id());
  const auto found = reader.Until(v1::EVENT_TYPE_ORDER_FOUND);
  ASSERT_TRUE(found.has_value());
  const auto delivered = reader.Until(v1::EVENT_TYPE_DELIVERY_SUCCEEDED);
  ASSERT_TRUE(delivered.has_value());
  EXPECT_EQ(delivered->order_name(), found->order_name());
  EXPECT_EQ(delivered->delivery_outcome().delivery_id(), found->order_found().delivery_id());
  EXPECT_EQ(delivered->delivery_outcome().payload(), receiver_.Orders().front().accepted_body);
}

TEST_F(EventStreamTest, KeepsPayloadsFromViewers) {
  Start();
  v1::StreamSyncEventsRequest request;
  request.set_include_payload(true);
  EXPECT_THAT(EventReader(*logs_, request, tokens_[Role::kViewer]).End(),
              FailsWith(grpc::PERMISSION_DENIED, "ROLE_TOO_LOW"));
  request.set_include_payload(false);
  EXPECT_TRUE(EventReader(*logs_, request, tokens_[Role::kViewer]).Next().has_value());
}

TEST_F(EventStreamTest, SaysWhichRangeThereIs) {
  Start();
  AddQuiet("shop");
  const auto beyond = Events(After(1'000'000)).End();
  EXPECT_THAT(beyond, FailsWith(grpc::OUT_OF_RANGE, "SEQUENCE_OUT_OF_RANGE"));
  EXPECT_EQ(InfoOf(beyond.status).metadata().at("newest_sequence"),
            std::to_string(NewestSequence()));
  EXPECT_EQ(InfoOf(beyond.status).metadata().count("oldest_sequence"), 1u);
  v1::StreamSyncEventsRequest other = After(1);
  other.set_log_id("another");
  const auto changed = Events(other).End();
  EXPECT_THAT(changed, FailsWith(grpc::OUT_OF_RANGE, "LOG_CHANGED"));
  EXPECT_NE(InfoOf(changed.status).metadata().at("log_id"), "");
}

TEST_F(EventStreamTest, SaysWhichRangeThereIsWhenThePlaceWasPruned) {
  Start();
  const v1::Connection shop = AddQuiet("shop");
  for (int i = 0; i < 5; ++i) Toggle(shop.id());
  ASSERT_TRUE(Stop());
  options_.retention_events = absl::Nanoseconds(1);
  Start();
  const std::int64_t newest = NewestSequence();
  while (OldestSequence() < newest) {
  }
  const auto pruned = Events(After(1)).End();
  EXPECT_THAT(pruned, FailsWith(grpc::OUT_OF_RANGE, "SEQUENCE_OUT_OF_RANGE"));
  const auto range = InfoOf(pruned.status).metadata();
  EXPECT_EQ(range.at("oldest_sequence"), std::to_string(newest));
  EXPECT_EQ(range.at("newest_sequence"), std::to_string(newest));
  EXPECT_NE(range.at("log_id"), "");
  EventReader rest = Events(After(0));  // from the oldest, whichever that is
  EXPECT_EQ(rest.NextEvent()->sequence(), newest);
}

TEST_F(EventStreamTest, RefusesWrongFields) {
  Start();
  EXPECT_THAT(WrongFields(Events(After(-1)).End().status), Contains("after_sequence"));
  v1::StreamSyncEventsRequest request;
  request.add_types(static_cast<v1::EventType>(999));
  EXPECT_THAT(WrongFields(Events(request).End().status), Contains("types"));
  request.clear_types();
  *request.mutable_connection() = Ref(999);
  EXPECT_THAT(Events(request).End(), FailsWith(grpc::NOT_FOUND, "CONNECTION_NOT_FOUND"));
}

TEST_F(EventStreamTest, EndsWhenTheServerStops) {
  Start();
  EventReader reader = Events(v1::StreamSyncEventsRequest());
  ASSERT_TRUE(reader.NextHeartbeat().has_value());
  EXPECT_TRUE(Stop());
  EXPECT_THAT(reader.End(), FailsWith(grpc::UNAVAILABLE, "DRAINING"));
}

TEST_F(EventStreamTest, GoesOnAfterARestart) {
  Start();
  const v1::Connection shop = AddQuiet("shop");
  std::int64_t place = 0;
  std::string log_id;
  {
    EventReader reader = Events(v1::StreamSyncEventsRequest());
    const auto heartbeat = reader.NextHeartbeat();
    ASSERT_TRUE(heartbeat.has_value());
    place = heartbeat->sequence();
    log_id = heartbeat->log_id();
  }
  Toggle(shop.id());
  ASSERT_TRUE(Stop());
  Start();
  v1::StreamSyncEventsRequest request = After(place);
  request.set_log_id(log_id);
  EventReader reader = Events(request);
  EXPECT_EQ(reader.NextEvent()->type(), v1::EVENT_TYPE_CONNECTION_RESUMED);
  EXPECT_EQ(reader.NextEvent()->type(), v1::EVENT_TYPE_CONNECTION_PAUSED);
}

TEST_F(EventStreamTest, LetsGoOfACallerWhoLeaves) {
  Start();
  for (int i = 0; i < 20; ++i) {
    EventReader reader = Events(v1::StreamSyncEventsRequest());
    ASSERT_TRUE(reader.NextHeartbeat().has_value());
  }
  EXPECT_TRUE(Stop());  // waits for every stream to have ended
}

}  // namespace
}  // namespace poller
