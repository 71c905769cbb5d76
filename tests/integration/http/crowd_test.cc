// Many exchanges at once: they share a thread, a budget and an end, and must not harm one another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/integration/http/fetcher.h"
#include "tests/support/http_server.h"

namespace poller {
namespace {

using test::HttpServer;
using test::Responder;
using test::TestReply;
using test::TestRequest;
using testing::ElementsAre;

// Answers "/fast" at once and keeps every other request until the test lets it go.
class Gate {
 public:
  Gate() {
    server_ =
        HttpServer::Start(HttpServer::Options(), [this](TestRequest request, Responder responder) {
          if (request.path == "/fast") {
            responder.Send(test::TextReply(200, "fast"));
            return;
          }
          absl::MutexLock lock(&mu_);
          kept_.emplace_back(request.body, responder);
        }).value();
  }

  // Waits until `count` requests are kept.
  bool WaitFor(std::size_t count) {
    absl::MutexLock lock(&mu_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return kept_.size() >= count; };
    return mu_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
  }
  std::vector<std::string> Bodies() {
    absl::MutexLock lock(&mu_);
    std::vector<std::string> bodies;
    for (const auto& [body, responder] : kept_) bodies.push_back(body);
    return bodies;
  }
  void LetGo() {
    std::vector<std::pair<std::string, Responder>> kept;
    {
      absl::MutexLock lock(&mu_);
      kept.swap(kept_);
    }
    for (const auto& [body, responder] : kept) responder.Send(test::TextReply(200, "slow"));
  }
  HttpServer& server() { return *server_; }

 private:
  absl::Mutex mu_;
  std::vector<std::pair<std::string, Responder>> kept_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

TEST(CurlCrowdTest, FastRequestsPassTwoHundredSlowOnes) {
  Gate gate;
  Fetcher fetcher;
  std::vector<std::future<Result>> slow;
  for (int i = 0; i < 200; ++i)
    slow.push_back(fetcher.Start(RequestTo(gate.server().Url("/slow"))));
  ASSERT_TRUE(gate.WaitFor(200));
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(fetcher.Fetch(RequestTo(gate.server().Url("/fast"))), Answers(200));
  }
  EXPECT_EQ(gate.Bodies().size(), 200u);
  gate.LetGo();
  for (auto& result : slow) EXPECT_THAT(result.get(), Answers(200));
  EXPECT_LE(gate.server().counts().connections, 201u);
}

TEST(CurlCrowdTest, BeyondTheMostInFlightRequestsWaitInOrder) {
  Gate gate;
  CurlOptions options = LoopbackAllowed();
  options.max_requests = 1;
  Fetcher fetcher(std::move(options));
  std::vector<std::future<Result>> results;
  results.push_back(fetcher.Start(RequestTo(gate.server().Url("/slow"), "0")));
  ASSERT_TRUE(gate.WaitFor(1));
  for (int i = 1; i < 5; ++i) {
    results.push_back(fetcher.Start(RequestTo(gate.server().Url("/slow"), std::to_string(i))));
    // One task at a time: two of them could reach the client in either order.
    while (fetcher.Gauge("poller_http_requests_waiting") < i) std::this_thread::yield();
  }
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(gate.WaitFor(1));
    EXPECT_THAT(gate.Bodies(), ElementsAre(std::to_string(i)));
    gate.LetGo();
    EXPECT_THAT(results[static_cast<std::size_t>(i)].get(), Answers(200));
  }
  EXPECT_EQ(gate.server().counts().max_in_flight, 1u);
}

TEST(CurlCrowdTest, ShutdownEndsWhatIsInFlightAndWhatComesLater) {
  Gate gate;
  Fetcher fetcher;
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 20; ++i)
    results.push_back(fetcher.Start(RequestTo(gate.server().Url("/slow"))));
  ASSERT_TRUE(gate.WaitFor(20));
  fetcher.client().Shutdown();
  for (auto& result : results) EXPECT_THAT(result.get(), FailsWith(TransportFailure::kCancelled));
  EXPECT_THAT(fetcher.Fetch(RequestTo(gate.server().Url("/fast"))),
              FailsWith(TransportFailure::kCancelled));
  fetcher.client().Shutdown();
  while (fetcher.Gauge("poller_http_requests_in_flight") > 0) std::this_thread::yield();
}

TEST(CurlCrowdTest, TheDestructorEndsWhatIsInFlightAndWhatWaits) {
  Gate gate;
  CurlOptions options = LoopbackAllowed();
  options.max_requests = 5;
  Fetcher fetcher(std::move(options));
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 20; ++i)
    results.push_back(fetcher.Start(RequestTo(gate.server().Url("/slow"))));
  ASSERT_TRUE(gate.WaitFor(5));
  while (fetcher.Gauge("poller_http_requests_waiting") < 15) std::this_thread::yield();
  fetcher.DestroyClient();
  for (auto& result : results) EXPECT_THAT(result.get(), FailsWith(TransportFailure::kCancelled));
}

TEST(CurlCrowdTest, ManySmallRequestsFromManyTasksAllSucceed) {
  auto server = HttpServer::Start(
      [](const TestRequest& request) { return test::TextReply(200, request.body); });
  Fetcher fetcher;
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 2000; ++i)
    results.push_back(fetcher.Start(RequestTo(server->Url(), std::to_string(i))));
  for (int i = 0; i < 2000; ++i) {
    const Result result = results[static_cast<std::size_t>(i)].get();
    ASSERT_THAT(result, Answers(200));
    EXPECT_EQ(result->body, std::to_string(i));
  }
}

}  // namespace
}  // namespace poller
