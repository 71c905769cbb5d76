// How large answers may be, each of them and all together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

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

TEST(CurlAnswerTest, TheBudgetIsForAllAnswersTogetherAndComesBack) {
  constexpr std::int64_t kBudget = 1 << 20;
  const auto half_an_answer = [](const TestRequest& request) {
    TestReply reply = test::TextReply(200, std::string(900'000, 'x'));
    if (request.path == "/hold") {
      reply.ending = test::Ending::kHang;
      reply.cut_after = 800'000;
    }
    return reply;
  };
  auto server = HttpServer::Start(half_an_answer);
  CurlOptions options = LoopbackAllowed();
  options.response_budget = kBudget;
  Fetcher fetcher(std::move(options));
  HttpRequest hold = RequestTo(server->Url("/hold"));
  hold.timeout = absl::Seconds(2);
  std::future<Result> holding = fetcher.Start(std::move(hold));
  while (fetcher.Gauge("poller_http_answer_bytes") < 700'000) std::this_thread::yield();
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

}  // namespace
}  // namespace poller
