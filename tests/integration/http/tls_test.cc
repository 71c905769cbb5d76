#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/integration/http/fetcher.h"
#include "tests/integration/http/raw_server.h"
#include "tests/integration/http/tls_server.h"
#include "tests/support/http_server.h"

namespace poller {
namespace {

using testing::HasSubstr;

HttpRequest Trusting(const std::string& url, const std::string& ca_pem) {
  HttpRequest request = RequestTo(url, "");
  request.ca_pem = ca_pem;
  return request;
}

TEST(CurlTlsTest, ACertificateThatNobodySignedIsRefused) {
  TlsServer server("127.0.0.1");
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(server.Url("127.0.0.1")));
  EXPECT_THAT(result, FailsWith(TransportFailure::kTls));
  EXPECT_THAT(result.status().ToString(), HasSubstr("certificate"));
}

TEST(CurlTlsTest, ItIsAcceptedWhereTheRequestTrustsIt) {
  TlsServer server("127.0.0.1");
  Fetcher fetcher;
  const Result result = fetcher.Fetch(Trusting(server.Url("127.0.0.1"), server.certificate()));
  ASSERT_THAT(result, Answers(200));
  EXPECT_EQ(result->body, "secure");
  EXPECT_GT(result->tls, result->connect);
}

TEST(CurlTlsTest, TheClientsOwnCertificatesAreTheDefault) {
  TlsServer server("127.0.0.1");
  TlsServer other("127.0.0.1");
  CurlOptions options = LoopbackAllowed();
  options.default_ca_pem = server.certificate();
  Fetcher fetcher(std::move(options));
  EXPECT_THAT(fetcher.Fetch(RequestTo(server.Url("127.0.0.1"))), Answers(200));
  EXPECT_THAT(fetcher.Fetch(RequestTo(other.Url("127.0.0.1"))), FailsWith(TransportFailure::kTls));
  EXPECT_THAT(fetcher.Fetch(Trusting(other.Url("127.0.0.1"), other.certificate())), Answers(200));
}

TEST(CurlTlsTest, TrustOfOneRequestDoesNotReachTheNext) {
  TlsServer server("127.0.0.1");
  TlsServer other("127.0.0.1");
  Fetcher fetcher;
  const std::string url = server.Url("127.0.0.1");
  ASSERT_THAT(fetcher.Fetch(Trusting(url, server.certificate())), Answers(200));
  EXPECT_THAT(fetcher.Fetch(RequestTo(url)), FailsWith(TransportFailure::kTls));
  EXPECT_THAT(fetcher.Fetch(Trusting(url, other.certificate())), FailsWith(TransportFailure::kTls));
  EXPECT_THAT(fetcher.Fetch(Trusting(url, server.certificate())), Answers(200));
}

TEST(CurlTlsTest, AnotherNameIsRefused) {
  TlsServer server("shop.example");
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(Trusting(server.Url("127.0.0.1"), server.certificate())),
              FailsWith(TransportFailure::kTls));
}

TEST(CurlTlsTest, CertificatesThatCannotBeReadAreATlsFailure) {
  TlsServer server("127.0.0.1");
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(Trusting(server.Url("127.0.0.1"), "not a certificate")),
              FailsWith(TransportFailure::kTls));
}

TEST(CurlTlsTest, PlainHttpBehindAnHttpsUrlIsATlsFailure) {
  auto server =
      test::HttpServer::Start([](const test::TestRequest&) { return test::TextReply(200, "x"); });
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo("https://127.0.0.1:" + std::to_string(server->port()) + "/")),
              FailsWith(TransportFailure::kTls));
}

TEST(CurlTlsTest, AHandshakeThatNeverEndsIsATlsFailure) {
  RawServer server([](RawServer& self) {
    tcp::socket socket = self.Accept();
    RawServer::WaitForEnd(socket);
  });
  Fetcher fetcher;
  HttpRequest request = RequestTo(server.Url("https"));
  request.connect_timeout = absl::Milliseconds(200);
  EXPECT_THAT(fetcher.Fetch(std::move(request)), FailsWith(TransportFailure::kTls));
}

}  // namespace
}  // namespace poller
