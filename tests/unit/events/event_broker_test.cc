#include "core/events/event_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/status.h"
#include "tests/integration/storage/storage_fixture.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using EventBatch = EventSubscription::Batch;
using NextResult = std::optional<absl::StatusOr<EventBatch>>;

// The real log, counted, but for what it is told to fail.
class WatchedLog final : public EventLog {
 public:
  explicit WatchedLog(EventLog& real) : real_(real) {}
  int reads = 0;
  bool failing = false;
  bool silent = false;  // the listener hears nothing

  absl::StatusOr<std::vector<SyncEvent>> Read(EventSequence after, int limit) override {
    ++reads;
    if (failing) return absl::UnavailableError("busy");
    return real_.Read(after, limit);
  }
  absl::StatusOr<EventRange> Range() override { return real_.Range(); }
  absl::StatusOr<EventSequence> Append(const SyncEvent& event) override {
    return real_.Append(event);
  }
  // The real log tells on a thread of its own: here it is told when the test says so.
  void SetListener(std::function<void()> listener) override { listener_ = std::move(listener); }
  void Tell() const {
    if (listener_ && !silent) listener_();
  }
  absl::StatusOr<int> Prune(absl::Time before, int limit) override {
    return real_.Prune(before, limit);
  }

 private:
  EventLog& real_;
  std::function<void()> listener_;
};

class EventBrokerTest : public StorageFixture {
 protected:
  EventBrokerTest() {
    Open();
    AddConnection("shop");  // event 1
    log_ = std::make_unique<WatchedLog>(storage_->events());
    broker_ = std::make_unique<EventBroker>(*log_, sleeper_, tasks_, io_.get_executor(),
                                            NullLogger(), clock_);
    EXPECT_OK(broker_->Start());
    Run();
  }
  void TearDown() override {
    broker_->Stop();
    Run();
    ASSERT_EQ(tasks_.Running(), 0);
    subscriptions_.clear();
    broker_.reset();
  }

  void Run() { RunUntilIdle(io_); }
  void Pass(absl::Duration time) { sleeper_.Advance(time); }
  // One event of that type.
  void Happen(EventType type = EventType::kPollFailed, ConnectionId connection = ConnectionId(1)) {
    SyncEvent event;
    event.at = clock_.Now();
    event.type = type;
    event.connection = connection;
    ASSERT_OK(storage_->events().Append(event).status());
    log_->Tell();
    Run();
  }
  // Many, in one commit.
  void HappenOften(int count) {
    IngestBatch batch = Batch_();
    for (int i = 0; i < count; ++i) batch.orders.push_back(Seen(next_order_++, "x"));
    Commit(batch);
    log_->Tell();
    Run();
  }
  IngestBatch Batch_() const { return StorageFixture::Batch(); }
  EventRange Range() const { return storage_->events().Range().value(); }

  absl::StatusOr<EventSubscription*> Subscribe(std::optional<std::int64_t> after = std::nullopt,
                                               EventFilter filter = {},
                                               std::optional<std::string> log_id = std::nullopt) {
    std::optional<EventSequence> place;
    if (after.has_value()) place = EventSequence(*after);
    std::optional<absl::StatusOr<std::unique_ptr<EventSubscription>>> result;
    tasks_.Spawn(Keep(broker_->Subscribe(std::move(log_id), place, std::move(filter)), &result));
    Run();
    if (!result.has_value()) return absl::InternalError("still waiting");
    if (!result->ok()) return result->status();
    subscriptions_.push_back(**std::move(result));
    return subscriptions_.back().get();
  }
  // Begins to wait for events; the result comes when it comes.
  std::shared_ptr<NextResult> Begin(EventSubscription* subscription, int limit = 100,
                                    absl::Duration patience = absl::Seconds(15)) {
    auto result = std::make_shared<NextResult>();
    tasks_.Spawn(KeepShared(subscription->Next(limit, patience), result));
    Run();
    return result;
  }
  // Sequences of what is there now.
  std::vector<std::int64_t> Take(EventSubscription* subscription, int limit = 100) {
    const auto result = Begin(subscription, limit, absl::ZeroDuration());
    EXPECT_TRUE(result->has_value());
    if (!result->has_value()) return {};
    EXPECT_OK((*result)->status());
    return (*result)->ok() ? Sequences(***result) : std::vector<std::int64_t>();
  }
  static std::vector<std::int64_t> Sequences(const EventBatch& batch) {
    std::vector<std::int64_t> sequences;
    for (const SyncEvent& event : batch.events) sequences.push_back(event.sequence.value());
    return sequences;
  }

  boost::asio::io_context io_;
  FakeSleeper sleeper_{clock_, &io_};
  TaskGroup tasks_{io_.get_executor()};
  std::unique_ptr<WatchedLog> log_;
  std::unique_ptr<EventBroker> broker_;
  std::vector<std::unique_ptr<EventSubscription>> subscriptions_;
  int next_order_ = 1;

 private:
  template <class T>
  static Task<void> Keep(Task<T> task, std::optional<T>* result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
  }
  static Task<void> KeepShared(Task<absl::StatusOr<EventBatch>> task,
                               std::shared_ptr<NextResult> result) {
    absl::StatusOr<EventBatch> value = co_await std::move(task);
    result->emplace(std::move(value));
  }
};

TEST_F(EventBrokerTest, GivesWhatHappensFromNowOn) {
  Happen();  // 2
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe());
  const auto next = Begin(reader);
  EXPECT_FALSE(next->has_value());
  Happen();  // 3
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(Sequences(***next), ElementsAre(3));
  EXPECT_EQ((***next).scanned, EventSequence(3));
}

TEST_F(EventBrokerTest, ResumesBehindASequenceMissingNoneAndRepeatingNone) {
  for (int i = 0; i < 5; ++i) Happen();  // 2 to 6
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe(3));
  EXPECT_THAT(Take(reader, 2), ElementsAre(4, 5));
  Happen();  // 7
  EXPECT_THAT(Take(reader), ElementsAre(6, 7));
  EXPECT_THAT(Take(reader), IsEmpty());
}

TEST_F(EventBrokerTest, ZeroIsFromTheOldestKept) {
  Happen();
  clock_.Advance(absl::Hours(1));
  Happen();
  Happen();
  ASSERT_OK(storage_->events().Prune(clock_.Now() - absl::Minutes(1), 10).status());
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe(0));
  EXPECT_THAT(Take(reader), ElementsAre(3, 4));
}

TEST_F(EventBrokerTest, ReadersFarBehindAndReadersUpToDateSeeTheSame) {
  ASSERT_OK_AND_ASSIGN(EventSubscription * slow, Subscribe());
  HappenOften(3000);  // more than is kept in memory
  ASSERT_OK_AND_ASSIGN(EventSubscription * late, Subscribe(1));
  for (EventSubscription* reader : {slow, late}) {
    std::vector<std::int64_t> seen;
    while (true) {
      const std::vector<std::int64_t> some = Take(reader, 97);
      if (some.empty()) break;
      seen.insert(seen.end(), some.begin(), some.end());
    }
    ASSERT_THAT(seen, SizeIs(3000));
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(seen[static_cast<std::size_t>(i)], i + 2);
  }
}

TEST_F(EventBrokerTest, ReadsTheLogOnceForAllThatAreUpToDate) {
  std::vector<std::shared_ptr<NextResult>> waiting;
  for (int i = 0; i < 50; ++i) {
    ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe());
    waiting.push_back(Begin(reader));
  }
  log_->reads = 0;
  Happen();
  for (const auto& next : waiting) {
    ASSERT_TRUE(next->has_value());
    EXPECT_THAT(Sequences(***next), ElementsAre(2));
  }
  EXPECT_LE(log_->reads, 2);
}

TEST_F(EventBrokerTest, AFilterThatMatchesNothingStillAdvancesAfterItsPatience) {
  EventFilter filter;
  filter.types = {EventType::kRestored};
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe(std::nullopt, filter));
  const auto next = Begin(reader);
  Happen();  // 2
  Pass(absl::Seconds(10));
  Happen();  // 3
  Pass(absl::Seconds(4));
  EXPECT_FALSE(next->has_value());
  Pass(absl::Seconds(1));
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT((***next).events, IsEmpty());
  EXPECT_EQ((***next).scanned, EventSequence(3));
}

TEST_F(EventBrokerTest, FiltersByConnectionAndType) {
  EventFilter filter;
  filter.connections = {ConnectionId(2)};
  filter.types = {EventType::kPollFailed};
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe(std::nullopt, filter));
  Happen(EventType::kPollFailed, ConnectionId(1));
  Happen(EventType::kPollRecovered, ConnectionId(2));
  Happen(EventType::kPollFailed, ConnectionId(2));  // 4
  EXPECT_THAT(Take(reader), ElementsAre(4));
}

TEST_F(EventBrokerTest, RefusesAPlaceBeyondTheEnd) {
  const auto reader = Subscribe(2);
  EXPECT_THAT(reader, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("1 to 1")));
  EXPECT_EQ(Reason(reader.status()), "SEQUENCE_OUT_OF_RANGE");
}

TEST_F(EventBrokerTest, RefusesAPlaceThatIsPrunedAndNamesTheRange) {
  Happen();
  Happen();
  clock_.Advance(absl::Hours(1));
  Happen();
  ASSERT_OK(storage_->events().Prune(clock_.Now() - absl::Minutes(1), 10).status());
  const auto reader = Subscribe(1);
  EXPECT_THAT(reader, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("4 to 4")));
  EXPECT_EQ(Reason(reader.status()), "SEQUENCE_OUT_OF_RANGE");
  EXPECT_OK(Subscribe(3).status());
}

TEST_F(EventBrokerTest, RefusesAPlaceInAnotherLog) {
  const auto reader = Subscribe(1, {}, "another");
  EXPECT_THAT(reader, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr(Range().log_id)));
  EXPECT_EQ(Reason(reader.status()), "LOG_CHANGED");
  EXPECT_OK(Subscribe(1, {}, Range().log_id).status());
}

TEST_F(EventBrokerTest, AReaderWhosePlaceIsPrunedMeanwhileIsTold) {
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe());
  HappenOften(3000);
  clock_.Advance(absl::Hours(1));
  Happen();
  ASSERT_OK(storage_->events().Prune(clock_.Now() - absl::Minutes(1), 10'000).status());
  const auto next = Begin(reader);
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(**next, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("3002 to 3002")));
  EXPECT_EQ(Reason((**next).status()), "EVENTS_PRUNED");
}

TEST_F(EventBrokerTest, FindsWhatTheListenerDidNotTell) {
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe());
  const auto next = Begin(reader);
  log_->silent = true;
  Happen();
  EXPECT_FALSE(next->has_value());
  Pass(absl::Seconds(5));
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(Sequences(***next), ElementsAre(2));
}

TEST_F(EventBrokerTest, SurvivesALogThatIsBusyForAWhile) {
  HappenOften(3000);
  ASSERT_OK_AND_ASSIGN(EventSubscription * behind, Subscribe(0));
  log_->failing = true;
  const auto heartbeat = Begin(behind, 10, absl::Seconds(3));
  Pass(absl::Seconds(3));
  ASSERT_TRUE(heartbeat->has_value());
  ASSERT_OK((*heartbeat)->status());
  EXPECT_THAT((***heartbeat).events, IsEmpty());
  const auto next = Begin(behind, 2);
  log_->failing = false;
  Pass(absl::Seconds(1));
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(Sequences(***next), ElementsAre(1, 2));
}

TEST_F(EventBrokerTest, CancelEndsAWaitAndAllLaterOnes) {
  ASSERT_OK_AND_ASSIGN(EventSubscription * reader, Subscribe());
  const auto next = Begin(reader);
  reader->Cancel();
  Run();
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(**next, StatusIs(absl::StatusCode::kCancelled));
  Happen();
  EXPECT_THAT(**Begin(reader), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(EventBrokerTest, StopEndsAllReaders) {
  ASSERT_OK_AND_ASSIGN(EventSubscription * first, Subscribe());
  ASSERT_OK_AND_ASSIGN(EventSubscription * second, Subscribe());
  const std::vector<std::shared_ptr<NextResult>> waiting = {Begin(first), Begin(second)};
  broker_->Stop();
  Run();
  for (const auto& next : waiting) {
    ASSERT_TRUE(next->has_value());
    EXPECT_THAT(**next, StatusIs(absl::StatusCode::kCancelled));
  }
  EXPECT_THAT(Subscribe(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(tasks_.Running(), 0);
}

}  // namespace
}  // namespace poller
