// The dispatcher over a real database, on a clock that the test moves, before a receiver that can
// misbehave.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/one_shot.h"
#include "core/async/task_group.h"
#include "core/base/log.h"
#include "core/delivery/dispatcher.h"
#include "core/http/http_client.h"
#include "tests/integration/storage/storage_fixture.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"
#include "tests/support/receiver.h"

namespace poller {

// The network and the receivers behind it. Used on one thread.
class FakeNetwork final : public HttpClient {
 public:
  struct Request {
    absl::Duration at;  // monotonic, since the test began
    std::string url;
    std::string connection_id;
    std::int64_t order = 0;
    std::int64_t revision = 0;
    HttpRequest http;
  };
  explicit FakeNetwork(const Clock& clock);

  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) override;

  // From now on requests arrive and wait for their answer.
  void Hold() { holding_ = true; }
  // Lets the oldest held request have its answer; with `lost` it fails so instead, though it
  // arrived.
  void Answer(std::optional<TransportFailure> lost = std::nullopt);
  // Lets all of them, and those to come.
  void Release();
  // From now on no request arrives.
  void Break(TransportFailure failure) { broken_ = failure; }
  void Mend() { broken_.reset(); }

  const std::vector<Request>& requests() const { return requests_; }
  // Order ids in the order in which their requests were made.
  std::vector<std::int64_t> Orders() const;
  // Seconds since the test began at which requests for `order` were made.
  std::vector<double> Times(std::int64_t order) const;
  int held() const { return static_cast<int>(held_.size()); }
  int most_in_flight() const { return most_in_flight_; }

  test::WebhookReceiver receiver;

 private:
  const Clock& clock_;
  const absl::Duration start_;
  bool holding_ = false;
  std::optional<TransportFailure> broken_;
  std::deque<OneShot<std::optional<TransportFailure>>> held_;
  std::vector<Request> requests_;
  int in_flight_ = 0, most_in_flight_ = 0;
};

// The real store, but for what it is told to fail.
class FaultyOutbox final : public OutboxStore {
 public:
  explicit FaultyOutbox(OutboxStore& real) : real_(real) {}
  bool fail_resolves = false;
  int failed_resolves = 0;
  int looks = 0;  // of NextDue

  absl::StatusOr<std::vector<ClaimedDelivery>> Claim(ConnectionId connection, const Instant& now,
                                                     int limit, bool forced_only) override;
  absl::StatusOr<Resolution> Resolve(const DeliveryOutcome& outcome, const Instant& now) override;
  absl::StatusOr<absl::Duration> NextDue(ConnectionId connection, const Instant& now) override;
  absl::StatusOr<std::vector<DeliveryDetails>> ListRetries(const DeliveryFilter& filter,
                                                           DeliveryId before, int limit) override;
  absl::StatusOr<DeliveryDetails> Get(DeliveryId id) override;
  absl::StatusOr<Delivery> Retry(DeliveryId id, const Actor& actor, const Instant& now) override;
  absl::StatusOr<Delivery> Discard(DeliveryId id, const std::string& why, const Actor& actor,
                                   absl::Time now) override;

 private:
  OutboxStore& real_;
};

// One text a line: "WARNING delivery failed connection=1 order=7 ...".
class RecordingLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel level, std::string_view message,
             const std::vector<LogField>& fields) override;
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

class DispatcherFixture : public StorageFixture {
 protected:
  DispatcherFixture();
  void TearDown() override;

  // Begins to deliver for connection_, as a start of the process does.
  void StartDispatcher();
  // Ends it in order, with what is in flight.
  void StopDispatcher();
  void Hint();

  // Commits confirmed orders as the polling does, without a hint. `content` tells revisions apart.
  void Commit(const std::vector<int>& orders, const std::string& content = "a", int second = 0);
  // Commits and lets the dispatcher know.
  void Deliver(const std::vector<int>& orders, const std::string& content = "a", int second = 0) {
    Commit(orders, content, second);
    Hint();
  }
  void Pass(absl::Duration time) { sleeper_.Advance(time); }
  void Run() { RunUntilIdle(io_); }

  // What answers from now on.
  void Answer(int status, std::optional<absl::Duration> retry_after = std::nullopt,
              const std::string& body = "");
  void AnswerOrder(int order, int status) { net_.receiver.SetOrderStatus(order, status); }

  DeliveryDetails DeliveryOf(int order);
  DeliveryStatus StatusOfOrder(int order) { return DeliveryOf(order).delivery.status; }
  BreakerState Breaker() { return State().receiver_breaker.state; }
  int Accepted() { return static_cast<int>(net_.receiver.Summary().accepted_orders); }
  // Words of events of these types alone, since the last call.
  std::vector<std::string> Circuit();
  void SetPaused(bool paused);

  template <class T>
  T Await(Task<T> task) {
    std::optional<T> result;
    tasks_.Spawn(Keep(std::move(task), &result));
    Run();
    EXPECT_TRUE(result.has_value()) << "still waiting";
    return result.has_value() ? *std::move(result) : T();
  }

  boost::asio::io_context io_;
  FakeSleeper sleeper_{clock_, &io_};
  FakeRandom random_;
  RecordingLogger log_;
  FakeNetwork net_{clock_};
  std::unique_ptr<FaultyOutbox> outbox_;
  TaskGroup tasks_{io_.get_executor()};
  DispatcherOptions options_;
  std::unique_ptr<Dispatcher> dispatcher_;

 private:
  template <class T>
  static Task<void> Keep(Task<T> task, std::optional<T>* result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
  }
};

}  // namespace poller
