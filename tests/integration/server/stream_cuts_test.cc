// The event stream is cut a thousand times, in every way there is, while events are written.
// POLLER_CUTS_SEED plays another history, POLLER_CUTS another number of cuts.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/server/event_writer.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/integration/server/tearing_proxy.h"

namespace poller {
namespace {

using test::EventWriter;
using test::Tear;
using test::TearingProxy;

constexpr int kCuts = 1000;
constexpr int kMostMessages = 12;         // read before a cut
constexpr std::size_t kMostBytes = 3000;  // of the server before a connection is torn
constexpr int kMostMilliseconds = 20;     // of a deadline
// So many events lie ahead of the reader at most: some cuts fall on what is stored, some on what is
// live.
constexpr std::int64_t kAhead = 30;

enum class Cut { kClientLeaves, kDeadline, kTorn, kReset, kServerStops };

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

// What a client that follows the rules has seen, and where it goes on.
struct Follower {
  std::string log_id;
  std::int64_t place = 0;
  std::vector<std::int64_t> seen;

  // False, with a failure of the test: it should not have come.
  bool Take(const v1::StreamSyncEventsResponse& message) {
    const bool is_event = message.has_event();
    const std::int64_t sequence =
        is_event ? message.event().sequence() : message.heartbeat().sequence();
    log_id = is_event ? message.event().log_id() : message.heartbeat().log_id();
    if (is_event ? sequence <= place : sequence < place) {
      ADD_FAILURE() << message.ShortDebugString() << " after " << place;
      return false;
    }
    place = sequence;
    if (is_event) seen.push_back(sequence);
    return true;
  }
};

class StreamCutsTest : public ServerFixture {
 protected:
  using Reader = std::unique_ptr<grpc::ClientReader<v1::StreamSyncEventsResponse>>;

  // A channel that shares its connection with no other.
  static std::shared_ptr<grpc::Channel> Separate(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  int Draw(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

  Cut DrawCut() {
    const int draw = Draw(39);
    if (draw == 0) return Cut::kServerStops;
    return std::vector{Cut::kClientLeaves, Cut::kDeadline, Cut::kTorn,
                       Cut::kReset}[static_cast<std::size_t>(draw % 4)];
  }

  v1::StreamSyncEventsRequest From(const Follower& follower) const {
    v1::StreamSyncEventsRequest request = filter_;
    request.set_after_sequence(follower.place);
    request.set_log_id(follower.log_id);
    return request;
  }

  // Follows until the cut, and reads what still comes.
  bool FollowUntil(Cut cut, Follower& follower) {
    const bool torn = cut == Cut::kTorn || cut == Cut::kReset;
    if (torn) {
      const auto after = static_cast<std::size_t>(Draw(static_cast<int>(kMostBytes)));
      proxy_.Next(app_->addresses().front(), Tear{after, cut == Cut::kReset});
    }
    const auto stub =
        v1::SyncLogService::NewStub(Separate(torn ? proxy_.address() : app_->addresses().front()));
    grpc::ClientContext context;
    Prepare(context, admin_);
    if (cut == Cut::kDeadline)
      context.set_deadline(
          absl::ToChronoTime(SystemClock().Now() + absl::Milliseconds(Draw(kMostMilliseconds))));
    const Reader reader = stub->StreamSyncEvents(&context, From(follower));
    bool right = true;
    bool whole = true;
    v1::StreamSyncEventsResponse message;
    const int messages = Draw(kMostMessages);
    for (int i = 0; right && whole && i < messages; ++i) {
      whole = reader->Read(&message);
      right = !whole || follower.Take(message);
    }
    if (cut == Cut::kClientLeaves) context.TryCancel();
    const bool stopped = cut != Cut::kServerStops || Stop();
    EXPECT_TRUE(stopped);
    while (right && reader->Read(&message)) right = follower.Take(message);
    if (!right) context.TryCancel();
    const Answer<v1::StreamSyncEventsResponse> end{reader->Finish(), {}};
    ends_[end.status.error_code()]++;
    if (cut == Cut::kServerStops) {
      EXPECT_THAT(end, FailsWith(grpc::UNAVAILABLE, "DRAINING"));
      Start(kHeartbeat);
      writer_->Use(channel_);
    }
    return right;
  }

  // The same in one go.
  std::vector<std::int64_t> Uninterrupted(std::int64_t newest) {
    Follower whole;
    v1::StreamSyncEventsRequest request = From(whole);
    EventReader reader = Events(request);
    while (whole.place < newest) {
      const auto message = reader.Next();
      if (!message || !whole.Take(*message)) break;
    }
    return whole.seen;
  }

  void CutOften(int cuts) {
    const int seed = FromEnvironment("POLLER_CUTS_SEED", 1);
    cuts = FromEnvironment("POLLER_CUTS", cuts);
    const std::string name = "POLLER_CUTS_SEED=" + std::to_string(seed);
    SCOPED_TRACE(name);
    random_.seed(static_cast<unsigned>(seed));
    writer_ = std::make_unique<EventWriter>(admin_, shop_);
    writer_->Use(channel_);
    Follower follower;
    for (int i = 0; i < cuts; ++i) {
      writer_->WriteUpTo(static_cast<std::int64_t>(follower.place) + kAhead);
      ASSERT_TRUE(FollowUntil(DrawCut(), follower)) << "cut " << i;
    }
    writer_->Wait();
    const std::int64_t newest = NewestSequence();
    EventReader rest = Events(From(follower));
    while (follower.place < newest) {
      const auto message = rest.Next();
      ASSERT_TRUE(message.has_value());
      ASSERT_TRUE(follower.Take(*message));
    }
    EXPECT_EQ(follower.seen, Uninterrupted(newest));
    std::cout << name << ": " << cuts << " cuts, " << follower.seen.size() << " events of "
              << newest << ", ends by code:";
    for (const auto& [code, count] : ends_) std::cout << " " << code << "=" << count;
    std::cout << "\n";
  }

  void StartWithShop() {
    Start(kHeartbeat);
    shop_ = test::AddQuietConnection(channel_, admin_, "shop");
  }

  static constexpr absl::Duration kHeartbeat = absl::Milliseconds(5);
  std::mt19937 random_;
  TearingProxy proxy_;
  std::unique_ptr<EventWriter> writer_;
  std::int64_t shop_ = 0;
  v1::StreamSyncEventsRequest filter_;
  std::map<int, int> ends_;  // how often by code
};

TEST_F(StreamCutsTest, AThousandCutsLoseAndRepeatNothing) {
  StartWithShop();
  CutOften(kCuts);
}

TEST_F(StreamCutsTest, NeitherDoTheyWithAFilter) {
  StartWithShop();
  filter_.mutable_connection()->set_id(shop_);
  filter_.add_types(v1::EVENT_TYPE_CONNECTION_PAUSED);
  CutOften(kCuts / 4);
}

}  // namespace
}  // namespace poller
