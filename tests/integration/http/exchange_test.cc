// One exchange at a time: what is sent, what comes back, and how each way of failing is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/integration/http/fetcher.h"
#include "tests/integration/http/raw_server.h"
#include "tests/support/http_server.h"

namespace poller {
namespace {

using test::HttpServer;
using test::TestReply;
using test::TestRequest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(CurlExchangeTest, SendsTheRequestAsGivenAndReadsTheWholeAnswer) {
  TestRequest seen;
  auto server = HttpServer::Start([&](const TestRequest& request) {
    seen = request;
    TestReply reply = test::TextReply(201, "created");
    reply.headers.Add("X-First", "1");
    reply.headers.Add("X-Empty", "");
    return reply;
  });
  Fetcher fetcher;
  HttpRequest request = RequestTo(server->Url("/a/../b?x=%20"), "the body");
  request.headers = {{"Content-Type", "application/json"}, {"X-Shop", "7"}, {"X-Empty", ""}};
  const Result result = fetcher.Fetch(std::move(request));
  ASSERT_THAT(result, Answers(201));
  EXPECT_EQ(result->body, "created");
  EXPECT_EQ(result->Header("x-first"), "1");
  EXPECT_EQ(result->Header("x-empty"), "");
  EXPECT_TRUE(result->Header("date").has_value());
  EXPECT_EQ(result->peer, "127.0.0.1:" + std::to_string(server->port()));
  EXPECT_GT(result->total, absl::ZeroDuration());
  EXPECT_GT(result->connect, absl::ZeroDuration());
  EXPECT_EQ(result->tls, absl::ZeroDuration());
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/a/../b");
  EXPECT_EQ(seen.query, "x=%20");
  EXPECT_EQ(seen.body, "the body");
  EXPECT_EQ(seen.headers.Get("X-Shop"), "7");
  EXPECT_TRUE(seen.headers.Has("X-Empty"));
  EXPECT_EQ(seen.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(seen.headers.Get("User-Agent"), "odoo-order-poller");
  EXPECT_FALSE(seen.headers.Has("Expect"));
  EXPECT_EQ(fetcher.Count("answered"), 1);
}

TEST(CurlExchangeTest, DoesNotCallABodyAFormWhenNoTypeIsGiven) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    return test::TextReply(200, request.headers.Has("Content-Type") ? "yes" : "no");
  });
  Fetcher fetcher;
  EXPECT_EQ(fetcher.Fetch(RequestTo(server->Url())).value().body, "no");
}

TEST(CurlExchangeTest, LargeBodiesGoOutWithoutWaitingForAContinue) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    return test::TextReply(
        200, std::to_string(request.body.size()) + (request.headers.Has("Expect") ? "!" : ""));
  });
  Fetcher fetcher;
  EXPECT_EQ(fetcher.Fetch(RequestTo(server->Url(), std::string(3 << 20, 'x'))).value().body,
            "3145728");
}

TEST(CurlExchangeTest, OtherMethodsWork) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    return test::TextReply(200, request.method + ":" + request.body);
  });
  Fetcher fetcher;
  for (const auto& [method, expected] :
       {std::pair("GET", "GET:"), std::pair("PUT", "PUT:b"), std::pair("DELETE", "DELETE:b")}) {
    HttpRequest request = RequestTo(server->Url(), method == std::string("GET") ? "" : "b");
    request.method = method;
    EXPECT_EQ(fetcher.Fetch(std::move(request)).value().body, expected);
  }
}

TEST(CurlExchangeTest, EveryStatusIsAnAnswer) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    return test::TextReply(std::stoi(request.path.substr(1)), "x");
  });
  Fetcher fetcher;
  for (const int status : {200, 301, 401, 404, 429, 500, 503}) {
    EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/" + std::to_string(status)))),
                Answers(status));
  }
}

TEST(CurlExchangeTest, DoesNotFollowRedirects) {
  auto server = HttpServer::Start([&](const TestRequest&) {
    TestReply reply = test::TextReply(302, "");
    reply.headers.Add("Location", "/elsewhere");
    return reply;
  });
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(server->Url()));
  ASSERT_THAT(result, Answers(302));
  EXPECT_EQ(result->Header("location"), "/elsewhere");
  EXPECT_EQ(server->counts().requests, 1u);
}

TEST(CurlExchangeTest, KeepsNoCookies) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    TestReply reply = test::TextReply(200, request.headers.Get("Cookie"));
    reply.headers.Add("Set-Cookie", "session=1; Path=/");
    return reply;
  });
  Fetcher fetcher;
  EXPECT_EQ(fetcher.Fetch(RequestTo(server->Url())).value().body, "");
  EXPECT_EQ(fetcher.Fetch(RequestTo(server->Url())).value().body, "");
}

TEST(CurlExchangeTest, IgnoresTheProxyOfTheEnvironment) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("all_proxy", "http://127.0.0.1:1", 1);
  auto server =
      HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "direct"); });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url())), Answers(200));
  unsetenv("http_proxy");
  unsetenv("all_proxy");
}

TEST(CurlExchangeTest, ReusesAConnectionAndSaysSoByItsTimes) {
  auto server = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "x"); });
  Fetcher fetcher;
  ASSERT_THAT(fetcher.Fetch(RequestTo(server->Url())), Answers(200));
  const Result again = fetcher.Fetch(RequestTo(server->Url()));
  ASSERT_THAT(again, Answers(200));
  EXPECT_EQ(again->connect, absl::ZeroDuration());
  EXPECT_EQ(again->peer, "127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(server->counts().connections, 1u);
}

TEST(CurlExchangeTest, UnpacksGzip) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    TestReply reply = test::TextReply(200, std::string(100'000, 'x'));
    reply.gzip = request.headers.Get("Accept-Encoding").find("gzip") != std::string::npos;
    return reply;
  });
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(server->Url()));
  ASSERT_THAT(result, Answers(200));
  EXPECT_EQ(result->body, std::string(100'000, 'x'));
  EXPECT_EQ(result->Header("content-encoding"), "gzip");
}

TEST(CurlExchangeTest, RefusesAnEncodingThatWasNotOffered) {
  auto server = HttpServer::Start([](const TestRequest&) {
    TestReply reply = test::TextReply(200, "x");
    reply.headers.Add("Content-Encoding", "gzip, zstd");
    return reply;
  });
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(server->Url()));
  EXPECT_THAT(result, FailsWith(TransportFailure::kProtocol));
  EXPECT_THAT(result.status().ToString(), HasSubstr("zstd"));
}

TEST(CurlExchangeTest, BrokenGzipIsAProtocolFailure) {
  auto server = HttpServer::Start([](const TestRequest&) {
    TestReply reply = test::TextReply(200, "this is not gzip");
    reply.headers.Add("Content-Encoding", "gzip");
    return reply;
  });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url())), FailsWith(TransportFailure::kProtocol));
}

TEST(CurlExchangeTest, TooManyHeadersAreAProtocolFailure) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    TestReply reply = test::TextReply(200, "x");
    if (request.path == "/many") {
      for (int i = 0; i < 300; ++i) reply.headers.Add("X-" + std::to_string(i), "1");
    } else {
      for (int i = 0; i < 5; ++i)
        reply.headers.Add("X-" + std::to_string(i), std::string(20'000, 'x'));
    }
    return reply;
  });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/many"))),
              FailsWith(TransportFailure::kProtocol));
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url("/long"))),
              FailsWith(TransportFailure::kProtocol));
}

TEST(CurlExchangeTest, WhatIsNotHttpIsAProtocolFailure) {
  RawServer server([](RawServer& self) {
    tcp::socket socket = self.Accept();
    RawServer::ReadHead(socket);
    RawServer::Write(socket, "220 mail.example ESMTP\r\n");
  });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(server.Url())), FailsWith(TransportFailure::kProtocol));
}

TEST(CurlExchangeTest, InterimAnswersAndTrailersAddNoHeaders) {
  RawServer server([](RawServer& self) {
    tcp::socket socket = self.Accept();
    RawServer::ReadHead(socket);
    RawServer::Write(socket,
                     "HTTP/1.1 103 Early Hints\r\nX-Interim: 1\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Final: 1\r\n\r\n"
                     "2\r\nok\r\n0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  });
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(server.Url()));
  ASSERT_THAT(result, Answers(200));
  EXPECT_EQ(result->body, "ok");
  EXPECT_EQ(result->Header("x-interim"), std::nullopt);
  EXPECT_EQ(result->Header("x-final"), "1");
  EXPECT_EQ(result->Header("date"), std::nullopt);
}

TEST(CurlExchangeTest, NeverSendsWhatIsNotARequest) {
  auto server = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "x"); });
  Fetcher fetcher;
  HttpRequest split = RequestTo(server->Url());
  split.headers = {{"X-A", "1\r\nX-Admin: 1"}};
  HttpRequest name = RequestTo(server->Url());
  name.headers = {{"X A", "1"}};
  HttpRequest removes = RequestTo(server->Url());
  removes.headers = {{"", "1"}};
  HttpRequest method = RequestTo(server->Url());
  method.method = "GET / HTTP/1.1\r\nX:";
  for (HttpRequest* request : {&split, &name, &removes, &method}) {
    EXPECT_THAT(fetcher.Fetch(std::move(*request)), FailsWith(TransportFailure::kProtocol));
  }
  for (const std::string& url :
       {std::string("ftp://127.0.0.1/"), std::string("file:///etc/passwd"),
        "http://user:pass@127.0.0.1:" + std::to_string(server->port()) + "/", std::string("")}) {
    const Result result = fetcher.Fetch(RequestTo(url));
    EXPECT_THAT(result, FailsWith(TransportFailure::kProtocol));
    EXPECT_THAT(result.status().ToString(), Not(HasSubstr("pass@")));
  }
  EXPECT_EQ(server->counts().connections, 0u);
}

HttpRequest Hasty(const std::string& url) {
  HttpRequest request = RequestTo(url);
  request.timeout = absl::Milliseconds(200);
  return request;
}

TEST(CurlExchangeTest, NoAnswerIsATimeout) {
  auto server = HttpServer::Start([](const TestRequest&) { return test::HangReply(); });
  Fetcher fetcher;
  const Result result = fetcher.Fetch(Hasty(server->Url("/secret?token=hunter22")));
  EXPECT_THAT(result, FailsWith(TransportFailure::kTimeout));
  EXPECT_THAT(result.status().ToString(),
              AllOf(HasSubstr("127.0.0.1"), Not(HasSubstr("hunter22"))));
  EXPECT_EQ(fetcher.Count("timeout"), 1);
}

TEST(CurlExchangeTest, HalfAnAnswerIsATimeoutToo) {
  auto server = HttpServer::Start([](const TestRequest&) {
    TestReply reply = test::TextReply(200, std::string(1000, 'x'));
    reply.ending = test::Ending::kHang;
    reply.cut_after = 500;
    return reply;
  });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(Hasty(server->Url())), FailsWith(TransportFailure::kTimeout));
}

TEST(CurlExchangeTest, ARefusedConnectionIsAConnectFailure) {
  std::string url;
  {
    RawServer server([](RawServer& self) { self.StopListening(); });
    url = server.Url();
  }
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(url)), FailsWith(TransportFailure::kConnect));
}

TEST(CurlExchangeTest, APeerThatDoesNotTakeTheConnectionIsAConnectFailure) {
  // A queue of one that nobody serves: further connections are neither accepted nor refused.
  boost::asio::io_context io;
  tcp::acceptor full(io);
  full.open(tcp::v4());
  full.bind(tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  full.listen(0);
  std::vector<tcp::socket> queue;
  for (int i = 0; i < 4; ++i) {
    tcp::socket& socket = queue.emplace_back(io, tcp::v4());
    socket.non_blocking(true);
    // Not socket.connect, which waits even then.
    const tcp::endpoint peer = full.local_endpoint();
    (void)::connect(socket.native_handle(), peer.data(), static_cast<socklen_t>(peer.size()));
  }
  Fetcher fetcher;
  for (const std::string scheme : {"http", "https"}) {
    HttpRequest request =
        RequestTo(scheme + "://127.0.0.1:" + std::to_string(full.local_endpoint().port()) + "/");
    request.connect_timeout = absl::Milliseconds(200);
    EXPECT_THAT(fetcher.Fetch(std::move(request)), FailsWith(TransportFailure::kConnect)) << scheme;
  }
}

TEST(CurlExchangeTest, NoSocketOfOursIsNotTheServersFault) {
  auto server = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, ""); });
  auto other = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, ""); });
  Fetcher fetcher;
  ASSERT_THAT(fetcher.Fetch(RequestTo(other->Url())), Answers(200));  // all else has its files
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlim_t before = std::exchange(files.rlim_cur, 3);  // fewer than are open
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  const Result result = fetcher.Fetch(RequestTo(server->Url()));
  files.rlim_cur = before;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_THAT(result, FailsWith(TransportFailure::kExhausted));
  EXPECT_EQ(server->counts().connections, 0u);
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url())), Answers(200));
}

TEST(CurlExchangeTest, AConnectionThatBreaksIsAReset) {
  auto server = HttpServer::Start([](const TestRequest& request) {
    if (request.path == "/first") return test::ResetReply();
    TestReply reply = test::TextReply(200, std::string(100'000, 'x'));
    reply.ending = request.path == "/reset" ? test::Ending::kReset : test::Ending::kClose;
    reply.cut_after = request.path == "/silent" ? 0 : 50'000;
    return reply;
  });
  Fetcher fetcher;
  for (const std::string path : {"/first", "/reset", "/close", "/silent"}) {
    EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url(path))), FailsWith(TransportFailure::kReset))
        << path;
  }
}

TEST(CurlExchangeTest, ARefusalAfterAReusedConnectionBrokeStaysAReset) {
  RawServer server([](RawServer& self) {
    tcp::socket socket = self.Accept();
    RawServer::ReadHead(socket);
    RawServer::Write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    // The request is read, and perhaps acted on; a second connection will be refused.
    RawServer::ReadHead(socket);
    self.StopListening();
  });
  Fetcher fetcher;
  HttpRequest first = RequestTo(server.Url(), "");
  HttpRequest second = RequestTo(server.Url(), "");
  ASSERT_THAT(fetcher.Fetch(std::move(first)), Answers(200));
  EXPECT_THAT(fetcher.Fetch(std::move(second)), FailsWith(TransportFailure::kReset));
}

TEST(CurlEgressTest, LoopbackIsDeniedUnlessAllowedByAddressAndByName) {
  auto server = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "x"); });
  const std::string port = std::to_string(server->port());
  Fetcher fetcher{CurlOptions()};
  for (const std::string host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"}) {
    const Result result = fetcher.Fetch(RequestTo("http://" + host + ":" + port + "/"));
    EXPECT_THAT(result, FailsWith(TransportFailure::kEgressDenied)) << host;
    EXPECT_THAT(result.status().ToString(), HasSubstr("--egress-allow")) << host;
  }
  EXPECT_EQ(server->counts().connections, 0u);
}

TEST(CurlEgressTest, ANeighbourOfAnAllowedRangeIsDenied) {
  CurlOptions options;
  options.egress.allow = {Cidr::Parse("127.0.0.2").value()};
  Fetcher fetcher(std::move(options));
  auto server = HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "x"); });
  EXPECT_THAT(fetcher.Fetch(RequestTo(server->Url())), FailsWith(TransportFailure::kEgressDenied));
}

TEST(CurlEgressTest, MetadataIsDeniedWhateverIsAllowed) {
  CurlOptions options;
  options.egress.allow = {Cidr::Parse("0.0.0.0/0").value()};
  options.egress.allow_http = true;
  Fetcher fetcher(std::move(options));
  EXPECT_THAT(fetcher.Fetch(Hasty("http://169.254.169.254/latest/meta-data/")),
              FailsWith(TransportFailure::kEgressDenied));
}

}  // namespace
}  // namespace poller
