#include "tests/support/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tests/unit/support/raw_client.h"

namespace poller::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<HttpServer> ServerThatAnswers(TestReply reply) {
  return HttpServer::Start([reply](const TestRequest&) { return reply; });
}

TEST(HttpServerTest, HandsTheParsedRequestToTheHandler) {
  TestRequest seen;
  const auto server = HttpServer::Start([&](const TestRequest& request) {
    seen = request;
    return TextReply(200, "hello");
  });
  RawClient client(server->port());
  client.Post("/a/b?db=shop1&x=%20y", "{}", "X-Thing: one\r\n");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nhello")));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/a/b");
  EXPECT_EQ(QueryValue(seen.query, "db"), "shop1");
  EXPECT_EQ(QueryValue(seen.query, "x"), " y");
  EXPECT_EQ(seen.headers.Get("x-thing"), "one");
  EXPECT_EQ(seen.body, "{}");
}

TEST(HttpServerTest, KeepsConnectionsAlive) {
  const auto server = ServerThatAnswers(TextReply(200, "ok"));
  RawClient client(server->port());
  client.Post("/", "1");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("ok"));
  client.Post("/", "2");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("ok"));
  EXPECT_EQ(server->counts().connections, 1U);
  EXPECT_EQ(server->counts().requests, 2U);
}

TEST(HttpServerTest, SendsTheDateOfTheGivenClock) {
  HttpServer::Options options;
  options.date_clock = [] { return absl::FromUnixSeconds(1795530703) + absl::Milliseconds(900); };
  auto server = HttpServer::Start(options, HttpServer::Immediate([](const TestRequest& request) {
                                    TestReply reply = TextReply(200, "");
                                    reply.send_date = request.path != "/none";
                                    return reply;
                                  }));
  ASSERT_TRUE(server.ok());
  RawClient client((*server)->port());
  client.Post("/", "");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("Date: Tue, 24 Nov 2026 14:31:43 GMT\r\n"));
  client.Post("/none", "");
  EXPECT_THAT(client.ReadAnswer(), Not(HasSubstr("Date:")));
}

TEST(HttpServerTest, AnswersLaterWithoutBlockingOthers) {
  std::optional<Responder> first;
  std::latch waiting(1);
  auto server = HttpServer::Start({}, [&](const TestRequest& request, const Responder& responder) {
    if (request.path != "/first") return responder.Send(TextReply(200, "second"));
    first = responder;
    waiting.count_down();
  });
  ASSERT_TRUE(server.ok());
  RawClient slow((*server)->port());
  slow.Post("/first", "");
  waiting.wait();
  RawClient quick((*server)->port());
  quick.Post("/second", "");
  EXPECT_THAT(quick.ReadAnswer(), EndsWith("second"));
  first->Send(TextReply(200, "first"));
  first->Send(TextReply(500, "ignored"));
  EXPECT_THAT(slow.ReadAnswer(), EndsWith("first"));
}

TEST(HttpServerTest, HoldsHundredsOfHangingConnectionsAndStillAnswers) {
  const auto server = HttpServer::Start([](const TestRequest& request) {
    return request.path == "/hang" ? HangReply() : TextReply(200, "ok");
  });
  std::vector<std::unique_ptr<RawClient>> hanging;
  for (int i = 0; i < 300; ++i) {
    hanging.push_back(std::make_unique<RawClient>(server->port()));
    ASSERT_TRUE(hanging.back()->connected());
    hanging.back()->Post("/hang", "");
  }
  RawClient client(server->port());
  client.Post("/", "");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("ok"));
  server->Stop();
  EXPECT_EQ(hanging.front()->ReadToEnd(), "");
}

TEST(HttpServerTest, ResetsBeforeAnyByte) {
  const auto server = ServerThatAnswers(ResetReply());
  RawClient client(server->port());
  client.Post("/", "x");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(client.was_reset());
}

TEST(HttpServerTest, ClosesInTheMiddleOfTheBody) {
  TestReply reply = TextReply(200, "0123456789");
  reply.send_date = false;
  reply.ending = Ending::kClose;
  reply.cut_after = std::string(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 10\r\n\r\n")
                        .size() +
                    4;
  const auto server = ServerThatAnswers(reply);
  RawClient client(server->port());
  client.Post("/", "");
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\r\n\r\n0123"));
  EXPECT_TRUE(client.was_closed());
}

TEST(HttpServerTest, DripsTheAnswer) {
  TestReply reply = TextReply(200, std::string(50, 'x'));
  reply.drip_bytes = 40;
  reply.drip_every = absl::Milliseconds(1);
  const auto server = ServerThatAnswers(reply);
  RawClient client(server->port());
  client.Post("/", "");
  EXPECT_THAT(client.ReadAnswer(), EndsWith(std::string(50, 'x')));
}

TEST(HttpServerTest, SendsChunks) {
  TestReply reply = TextReply(200, "abcdef");
  reply.chunked = true;
  reply.close = true;
  const auto server = ServerThatAnswers(reply);
  RawClient client(server->port());
  client.Post("/", "");
  EXPECT_THAT(client.ReadToEnd(),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), Not(HasSubstr("Content-Length")),
                    EndsWith("\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")));
}

TEST(HttpServerTest, SendsHugeBodiesWithoutHoldingThem) {
  TestReply reply = TextReply(200, "start");
  reply.filler = 20'000'000;
  reply.close = true;
  const auto server = ServerThatAnswers(reply);
  RawClient client(server->port());
  client.Post("/", "");
  const std::string& got = client.ReadToEnd();
  EXPECT_THAT(got.substr(0, 500), HasSubstr("Content-Length: 20000005\r\n"));
  EXPECT_EQ(got.size(), got.find("\r\n\r\n") + 4 + 20'000'005);
}

TEST(HttpServerTest, CanAnswerBeforeTheBodyIsRead) {
  HttpServer::Options options;
  options.on_head = [](const TestRequest& head) -> std::optional<TestReply> {
    if (head.path == "/early") return ResetReply();
    return std::nullopt;
  };
  auto server = HttpServer::Start(
      options, HttpServer::Immediate([](const TestRequest&) { return TextReply(200, "late"); }));
  ASSERT_TRUE(server.ok());
  RawClient client((*server)->port());
  client.Send("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  client.ReadToEnd();
  EXPECT_TRUE(client.was_reset());
}

TEST(HttpServerTest, TellsTheHandlerWhenThePeerHasLeft) {
  std::binary_semaphore done(0);
  std::atomic<bool> sent = true;
  const auto server = HttpServer::Start([&](const TestRequest&) {
    TestReply reply = HangReply();
    reply.on_done = [&](bool was_sent) {
      sent = was_sent;
      done.release();
    };
    return reply;
  });
  {
    RawClient client(server->port());
    client.Post("/", "");
    // The answer must be under way before we leave.
    while (server->counts().in_flight == 0) std::this_thread::yield();
  }
  EXPECT_TRUE(done.try_acquire_for(std::chrono::seconds(5)));
  EXPECT_FALSE(sent);
}

TEST(HttpServerTest, AResponderMayOutliveItsServer) {
  std::optional<Responder> kept;
  std::latch have(1);
  auto server = HttpServer::Start({}, [&](const TestRequest&, const Responder& responder) {
    kept = responder;
    have.count_down();
  });
  ASSERT_TRUE(server.ok());
  RawClient client((*server)->port());
  client.Post("/", "");
  have.wait();
  server->reset();
  bool sent = true;
  TestReply reply = TextReply(200, "");
  reply.on_done = [&](bool was_sent) { sent = was_sent; };
  kept->Send(std::move(reply));
  EXPECT_FALSE(sent);
}

TEST(HttpServerTest, SaysWhenThePortIsTaken) {
  const auto server = ServerThatAnswers(TextReply(200, ""));
  HttpServer::Options options;
  options.port = server->port();
  EXPECT_EQ(HttpServer::Start(options, {}).status().code(), absl::StatusCode::kUnavailable);
}

TEST(GzipTest, WritesOneMember) {
  const std::string packed = Gzip(std::string(10000, 'a'));
  EXPECT_THAT(packed, StartsWith("\x1f\x8b\x08"));
  EXPECT_LT(packed.size(), 1000U);
  // ISIZE, the length modulo 2^32.
  EXPECT_EQ(packed.substr(packed.size() - 4), std::string("\x10\x27\x00\x00", 4));
}

}  // namespace
}  // namespace poller::test
