// Subscribers that read nothing cost the server no memory and the others nothing.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/storage/sqlite/database.h"
#include "tests/integration/server/event_writer.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/resident.h"

namespace poller {
namespace {

using test::EventWriter;

#ifdef __SANITIZE_ADDRESS__
constexpr bool kMemoryMeansSomething = false;
#else
constexpr bool kMemoryMeansSomething = true;
#endif
constexpr int kWriters = 8;
constexpr std::int64_t kEventsEach = kMemoryMeansSomething ? 2500 : 300;
constexpr int kSlow = 20;
// What the subscribers would hold if each kept the 20,000 events for itself: 200 MB and more. What
// they may: the window of HTTP/2, 64 KiB on either side, which are both in this process.
constexpr double kMostGrowth = 32 << 20;

class SlowSubscriberTest : public ServerFixture {
 protected:
  // A stream that nobody reads until somebody does.
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<v1::SyncLogService::Stub> stub;
    std::unique_ptr<grpc::ClientReader<v1::StreamSyncEventsResponse>> reader;
    ~Stream() {
      context.TryCancel();
      v1::StreamSyncEventsResponse message;
      while (!finished && reader->Read(&message)) {
      }
      if (!finished) reader->Finish();
    }
    grpc::Status Finish() {
      finished = true;
      return reader->Finish();
    }
    bool finished = false;
  };

  std::unique_ptr<Stream> Subscribe(std::int64_t after) { return Subscribe(after, admin_); }
  std::unique_ptr<Stream> Subscribe(std::int64_t after, const std::string& token) {
    auto stream = std::make_unique<Stream>();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    // Else the client lets its window grow, and what is sent lies on its side, in our own process.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    stream->stub = v1::SyncLogService::NewStub(grpc::CreateCustomChannel(
        app_->addresses().front(), grpc::InsecureChannelCredentials(), arguments));
    stream->context.AddMetadata("authorization", "Bearer " + token);
    v1::StreamSyncEventsRequest request;
    request.set_after_sequence(after);
    stream->reader = stream->stub->StreamSyncEvents(&stream->context, request);
    return stream;
  }
  // Revokes the tokens of that role.
  void Revoke(v1::TokenRole role) {
    const auto tokens = Call(status_, &v1::AdminService::Stub::ListTokens, v1::ListTokensRequest());
    for (const v1::Token& token : tokens->tokens()) {
      if (token.role() != role) continue;
      v1::RevokeTokenRequest revoke;
      revoke.set_token_id(token.id());
      ASSERT_TRUE(Call(status_, &v1::AdminService::Stub::RevokeToken, revoke).ok());
    }
  }
  // The sequences of the next `count` events.
  static std::vector<std::int64_t> Read(Stream& stream, std::int64_t count) {
    std::vector<std::int64_t> sequences;
    v1::StreamSyncEventsResponse message;
    while (static_cast<std::int64_t>(sequences.size()) < count && stream.reader->Read(&message)) {
      if (message.has_event()) sequences.push_back(message.event().sequence());
    }
    return sequences;
  }
  std::vector<std::unique_ptr<EventWriter>> Writers() {
    std::vector<std::unique_ptr<EventWriter>> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.push_back(std::make_unique<EventWriter>(
          admin_, test::AddQuietConnection(channel_, admin_, "shop" + std::to_string(i))));
      writers.back()->Use(channel_);
    }
    return writers;
  }
};

TEST_F(SlowSubscriberTest, CostsTheServerAndTheOthersNothing) {
  Start();
  const auto writers = Writers();
  const std::int64_t begin = NewestSequence();
  const auto live = Subscribe(begin);
  std::vector<std::unique_ptr<Stream>> slow;
  for (int i = 0; i < kSlow; ++i) slow.push_back(Subscribe(begin));
  const double before = test::Resident();

  for (const auto& writer : writers) writer->WriteUpTo(kEventsEach);
  constexpr std::int64_t kEvents = kWriters * kEventsEach;
  const std::vector<std::int64_t> all = Read(*live, kEvents);
  ASSERT_EQ(static_cast<std::int64_t>(all.size()), kEvents);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(all.back(), NewestSequence());

  const double growth = test::Resident() - before;
  std::printf("%d subscribers that read nothing, %lld events: +%.1f MiB\n", kSlow,
              static_cast<long long>(kEvents), growth / (1 << 20));
  EXPECT_TRUE(growth <= kMostGrowth || !kMemoryMeansSomething);

  // And nothing was lost for one that reads at last.
  EXPECT_EQ(Read(*slow.front(), kEvents), all);
}

TEST_F(SlowSubscriberTest, IsCutWhenItsTokenIsRevokedThoughItReadsNothing) {
  Start();
  const auto writers = Writers();
  const std::int64_t begin = NewestSequence();
  const auto slow = Subscribe(begin, tokens_[Role::kViewer]);
  const auto live = Subscribe(begin);
  for (const auto& writer : writers) writer->WriteUpTo(250);
  ASSERT_EQ(Read(*live, kWriters * 250).size(), kWriters * 250u);  // the window of `slow` is full
  Revoke(v1::TOKEN_ROLE_VIEWER);
  EXPECT_LT(Read(*slow, kWriters * 250).size(), kWriters * 250u);
  // Not UNAUTHENTICATED: that would have waited behind the message that was under way.
  EXPECT_EQ(slow->Finish().error_code(), grpc::CANCELLED);
}

TEST_F(SlowSubscriberTest, WhosePlaceWasPrunedMeanwhileIsToldWhatThereStillIs) {
  Start();
  const auto writers = Writers();
  const std::int64_t begin = NewestSequence();
  const auto slow = Subscribe(begin);
  const auto live = Subscribe(begin);
  // More than fits the window of `slow` and what the server keeps at hand.
  for (const auto& writer : writers) writer->WriteUpTo(500);
  ASSERT_EQ(Read(*live, kWriters * 500).size(), kWriters * 500u);
  const std::int64_t oldest = NewestSequence() - 10;
  {
    ASSERT_OK_AND_ASSIGN(const auto db,
                         Database::Open(options_.DbPath(), Database::Mode::kReadWrite));
    ASSERT_OK(db->Exec("DELETE FROM event WHERE sequence < ?1", oldest));
  }
  // What was under way arrives, without a gap.
  const std::vector<std::int64_t> got = Read(*slow, kWriters * 500);
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], begin + 1 + static_cast<std::int64_t>(i));
  ASSERT_LT(got.back(), oldest);
  const Answer<v1::StreamSyncEventsResponse> end{slow->Finish(), {}};
  EXPECT_THAT(end, FailsWith(grpc::OUT_OF_RANGE, "EVENTS_PRUNED"));
  const auto range = InfoOf(end.status).metadata();
  EXPECT_EQ(range.at("oldest_sequence"), std::to_string(oldest));
  EXPECT_EQ(range.at("newest_sequence"), std::to_string(NewestSequence()));
  EXPECT_NE(range.at("log_id"), "");
  // There it can go on.
  EXPECT_EQ(Read(*Subscribe(oldest - 1), 1), std::vector<std::int64_t>{oldest});
}

}  // namespace
}  // namespace poller
