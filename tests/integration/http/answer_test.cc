// How large answers may be, each of them and all together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/http/fetcher.h"
#include "tests/support/http_server.h"

namespace poller {
namespace {

using test::HttpServer;
using test::TestReply;
using test::TestRequest;

HttpRequest Limited(const std::string& url, std::int64_t bytes) {
  HttpRequest request = RequestTo(url);
  request.max_response_bytes = bytes;
  return request;
}

TEST(CurlAnswerTest, AnAnswerOfExactlyTheLimitIsTaken) {
  auto server = HttpServer::Start(
      [](const TestRequest&) { return test::TextReply(200, std::string(1000, 'x')); });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(Limited(server->Url(), 1000)), Answers(200));
  EXPECT_THAT(fetcher.Fetch(Limited(server->Url(), 999)), FailsWith(TransportFailure::kTooLarge));
}

TEST(CurlAnswerTest, AHugeAnswerIsCutWhileItIsRead) {
  for (const bool chunked : {false, true}) {
    auto server = HttpServer::Start([&](const TestRequest&) {
      TestReply reply = test::TextReply(200, "");
      reply.filler = 1ULL << 40;
      reply.chunked = chunked;
      return reply;
    });
    Fetcher fetcher;
    EXPECT_THAT(fetcher.Fetch(Limited(server->Url(), 1 << 20)),
                FailsWith(TransportFailure::kTooLarge));
    EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url())), FailsWith(TransportFailure::kTooLarge));
  }
}

TEST(CurlAnswerTest, ABombIsCutByItsUnpackedSize) {
  const std::string bomb = test::Gzip(std::string(64 << 20, ' '));
  ASSERT_LT(bomb.size(), 100'000u);
  auto server = HttpServer::Start([&](const TestRequest&) {
    TestReply reply = test::TextReply(200, bomb);
    reply.headers.Add("Content-Encoding", "gzip");
    return reply;
  });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(Limited(server->Url(), 1 << 20)),
              FailsWith(TransportFailure::kTooLarge));
}

TEST(CurlAnswerTest, WhatMayBeCutIsAnAnswerHoweverLargeItIs) {
  const std::string bomb = test::Gzip(std::string(64 << 20, 'x'));
  auto server = HttpServer::Start([&](const TestRequest& request) {
    TestReply reply = test::TextReply(202, request.path == "/bomb" ? bomb : std::string(100, 'x'));
    if (request.path == "/bomb") reply.headers.Add("Content-Encoding", "gzip");
    if (request.path == "/huge") reply.filler = 1ULL << 40;
    return reply;
  });
  Fetcher fetcher;
  for (const char* path : {"/bomb", "/huge", "/small"}) {
    HttpRequest request = Limited(server->Url(path), 1000);
    request.body_may_be_cut = true;
    const Result result = fetcher.Fetch(std::move(request));
    ASSERT_THAT(result, Answers(202)) << path;
    const bool small = std::string(path) == "/small";
    EXPECT_EQ(result->body.size(), small ? 100u : 1000u) << path;
    EXPECT_EQ(result->body_cut, !small) << path;
  }
}

constexpr std::int64_t kBudget = 8 << 20;

CurlOptions SmallBudget() {
  CurlOptions options = LoopbackAllowed();
  options.response_budget = kBudget;
  return options;
}

// A server whose answers to "/hold" stop after `bytes`, and never end.
std::unique_ptr<HttpServer> HoldingServer(std::uint64_t bytes) {
  return HttpServer::Start([bytes](const TestRequest& request) {
    TestReply reply = test::TextReply(200, std::string(bytes, 'x'));
    if (request.path != "/hold") return reply;
    reply.filler = 1000;
    reply.ending = test::Ending::kHang;
    reply.cut_after = bytes;
    return reply;
  });
}

TEST(CurlAnswerTest, TheMemoryOfAnAnswerComesBack) {
  auto server = HoldingServer(1'200'000);
  Fetcher fetcher(SmallBudget());
  HttpRequest hold = RequestTo(server->Url("/hold"));
  hold.timeout = absl::Seconds(2);
  std::future<Result> holding = fetcher.Start(std::move(hold));
  while (fetcher.Gauge("poller_http_answer_bytes") < 1'100'000) std::this_thread::yield();
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/whole"))),
              FailsWith(TransportFailure::kOverloaded));
  HttpRequest cut = RequestTo(server->Url("/whole"));
  cut.body_may_be_cut = true;
  EXPECT_THAT(fetcher.Fetch(std::move(cut)), Answers(200));
  EXPECT_THAT(holding.get(), FailsWith(TransportFailure::kTimeout));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/whole"))), Answers(200));
  }
}

TEST(CurlAnswerTest, WhatCouldNeverBeHeldIsTooLarge) {
  auto server = HoldingServer(kBudget / 5 + 1);
  Fetcher fetcher(SmallBudget());
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/whole"))),
              FailsWith(TransportFailure::kTooLarge));
}

TEST(CurlAnswerTest, EightGreedyServersLeaveMemoryForANinth) {
  Fetcher fetcher(SmallBudget());
  std::vector<std::unique_ptr<HttpServer>> greedy;
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 8; ++i) greedy.push_back(HoldingServer(300'000));
  // Thirty times the budget, from one after the other: the worst order for those that come later.
  for (int i = 0; i < 8; ++i) {
    for (int k = 0; k < 100; ++k) {
      results.push_back(
          fetcher.Start(RequestTo(greedy[static_cast<std::size_t>(i)]->Url("/hold"))));
    }
    while (fetcher.Count("overloaded") < 60 * (i + 1)) std::this_thread::yield();
  }
  auto ninth = HoldingServer(200'000);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(fetcher.Fetch(RequestTo(ninth->Url())), Answers(200));
  }
  EXPECT_LE(fetcher.Gauge("poller_http_answer_bytes"), kBudget);
  fetcher.DestroyClient();
  for (auto& result : results) EXPECT_FALSE(result.get().ok());
}

}  // namespace
}  // namespace poller
