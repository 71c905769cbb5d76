// Names that resolve strangely. This program brings its own getaddrinfo, which libcurl finds before
// the C library's.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/integration/http/fetcher.h"
#include "tests/support/http_server.h"

namespace poller {
namespace {

// What the fake names do. Lives for ever: look-ups that were abandoned may return at the very end.
struct NameServer {
  absl::Mutex mu;
  bool answers ABSL_GUARDED_BY(mu) = true;
  int asked ABSL_GUARDED_BY(mu) = 0;  // for names that hang

  void WaitForAnswer() {
    absl::MutexLock lock(&mu);
    ++asked;
    mu.Await(absl::Condition(&answers));
  }
  void Set(bool value) {
    absl::MutexLock lock(&mu);
    answers = value;
  }
  bool WaitForAsked(int count) {
    absl::MutexLock lock(&mu);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return asked >= count; };
    return mu.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
  }
};

NameServer& Names() {
  static auto* const names = new NameServer;
  return *names;
}

}  // namespace
}  // namespace poller

using LookUp = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  const auto real = reinterpret_cast<LookUp>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view name = node == nullptr ? "" : node;
  if (name == "nowhere.test") return EAI_NONAME;
  if (name == "hanging.test") {
    poller::Names().WaitForAnswer();
    return EAI_AGAIN;
  }
  // A stranger's name for an address of ours.
  if (name == "rebound.test") return real("127.0.0.1", service, hints, result);
  return real(node, service, hints, result);
}

namespace poller {
namespace {

using test::HttpServer;
using test::TestRequest;
using testing::HasSubstr;

class CurlNamesTest : public testing::Test {
 protected:
  std::string Url(const std::string& host) const {
    return "http://" + host + ":" + std::to_string(server_->port()) + "/";
  }
  std::unique_ptr<HttpServer> server_ =
      HttpServer::Start([](const TestRequest&) { return test::TextReply(200, "x"); });
};

TEST_F(CurlNamesTest, ANameThatDoesNotExistIsADnsFailure) {
  Fetcher fetcher;
  const Result result = fetcher.Fetch(RequestTo(Url("nowhere.test")));
  EXPECT_THAT(result, FailsWith(TransportFailure::kDns));
  EXPECT_THAT(result.status().ToString(), HasSubstr("nowhere.test"));
}

TEST_F(CurlNamesTest, ANameThatHidesLoopbackIsDenied) {
  Fetcher fetcher{CurlOptions()};
  EXPECT_THAT(fetcher.Fetch(RequestTo(Url("rebound.test"))),
              FailsWith(TransportFailure::kEgressDenied));
  EXPECT_EQ(server_->counts().connections, 0u);
}

TEST_F(CurlNamesTest, ANameIsFineWhereItsAddressIsAllowed) {
  Fetcher fetcher;
  EXPECT_THAT(fetcher.Fetch(RequestTo(Url("rebound.test"))), Answers(200));
}

TEST_F(CurlNamesTest, ANameServerThatHangsHoldsUpNobodyElse) {
  Names().Set(false);
  {
    Fetcher fetcher;
    std::vector<std::future<Result>> hanging;
    for (int i = 0; i < 20; ++i) {
      HttpRequest request = RequestTo(Url("hanging.test"));
      request.connect_timeout = absl::Milliseconds(200);
      hanging.push_back(fetcher.Start(std::move(request)));
    }
    ASSERT_TRUE(Names().WaitForAsked(20));
    EXPECT_THAT(fetcher.Fetch(RequestTo(Url("127.0.0.1"))), Answers(200));
    // They time out while the name server still hangs: that must not stop the others either.
    for (auto& result : hanging) EXPECT_THAT(result.get(), FailsWith(TransportFailure::kDns));
    EXPECT_THAT(fetcher.Fetch(RequestTo(Url("127.0.0.1"))), Answers(200));
    // Nor may it stop the end of the program.
    HttpRequest last = RequestTo(Url("hanging.test"));
    std::future<Result> cancelled = fetcher.Start(std::move(last));
    ASSERT_TRUE(Names().WaitForAsked(21));
    fetcher.DestroyClient();
    EXPECT_THAT(cancelled.get(), FailsWith(TransportFailure::kCancelled));
  }
  Names().Set(true);
}

}  // namespace
}  // namespace poller
