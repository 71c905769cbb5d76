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
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/http/curl/name_lookup.h"
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
  int Asked() {
    absl::MutexLock lock(&mu);
    return asked;
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
  if (name.ends_with("hanging.test")) {
    poller::Names().WaitForAnswer();
    return EAI_AGAIN;
  }
  // A stranger's name for an address of ours.
  if (name.ends_with("rebound.test")) return real("127.0.0.1", service, hints, result);
  return real(node, service, hints, result);
}

namespace poller {
namespace {

using test::HttpServer;
using test::TestRequest;
using testing::ElementsAre;
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

TEST_F(CurlNamesTest, ANameIsLookedUpOnceForAll) {
  Names().Set(false);
  {
    Fetcher fetcher;
    const int before = Names().Asked();
    std::vector<std::future<Result>> results;
    for (int i = 0; i < 50; ++i) {
      results.push_back(fetcher.Start(RequestTo(Url("once.hanging.test"))));
    }
    while (fetcher.Gauge("poller_http_requests_in_flight") < 50) std::this_thread::yield();
    ASSERT_TRUE(Names().WaitForAsked(before + 1));
    EXPECT_EQ(Names().Asked(), before + 1);
    Names().Set(true);
    for (auto& result : results) EXPECT_THAT(result.get(), FailsWith(TransportFailure::kDns));
  }
}

TEST_F(CurlNamesTest, ANameServerThatHangsHoldsUpNobodyElse) {
  Names().Set(false);
  {
    Fetcher fetcher;
    const int before = Names().Asked();
    ASSERT_THAT(fetcher.Fetch(RequestTo(Url("known.rebound.test"))), Answers(200));
    std::vector<std::future<Result>> hanging;
    for (int i = 0; i < 100; ++i) {
      HttpRequest request = RequestTo(Url(std::to_string(i) + ".hanging.test"));
      request.connect_timeout = absl::Milliseconds(300);
      hanging.push_back(fetcher.Start(std::move(request)));
    }
    ASSERT_TRUE(Names().WaitForAsked(before + 24));
    EXPECT_THAT(fetcher.Fetch(RequestTo(Url("127.0.0.1"))), Answers(200));
    EXPECT_THAT(fetcher.Fetch(RequestTo(Url("known.rebound.test"))), Answers(200));
    // They time out while the name server still hangs: that must not stop the others either.
    for (auto& result : hanging) EXPECT_THAT(result.get(), FailsWith(TransportFailure::kDns));
    EXPECT_THAT(fetcher.Fetch(RequestTo(Url("127.0.0.1"))), Answers(200));
    EXPECT_EQ(Names().Asked(), before + 24);  // a thread each, and no more than that
    // Nor may it stop the end of the program.
    std::future<Result> cancelled = fetcher.Start(RequestTo(Url("0.hanging.test")));
    while (fetcher.Gauge("poller_http_requests_in_flight") < 1) std::this_thread::yield();
    fetcher.DestroyClient();
    EXPECT_THAT(cancelled.get(), FailsWith(TransportFailure::kCancelled));
  }
  Names().Set(true);
}

class NameLookupTest : public testing::Test {
 protected:
  // Whether these names are found, in the order in which they are answered.
  std::vector<std::string> WaitFor(std::size_t count) {
    std::vector<std::string> answers;
    while (answers.size() < count) {
      for (const auto& [name, answer] : names_.Take(now_)) {
        answers.push_back((answer.found ? "" : "no ") + name);
      }
      std::this_thread::yield();
    }
    return answers;
  }
  absl::Duration now_ = absl::Seconds(1000);
  NameLookup names_{4, [] {}};  // 3 of them for new names, 1 for suspect ones
};

TEST_F(NameLookupTest, KnownNamesAreServedWhileNewOnesHang) {
  EXPECT_EQ(names_.Ask("a.rebound.test", now_), nullptr);
  EXPECT_THAT(WaitFor(1), ElementsAre("a.rebound.test"));
  Names().Set(false);
  const int before = Names().Asked();
  for (int i = 0; i < 10; ++i) names_.Ask(std::to_string(i) + ".hanging.test", now_);
  ASSERT_TRUE(Names().WaitForAsked(before + 3));
  now_ += absl::Minutes(11);
  EXPECT_EQ(names_.Ask("a.rebound.test", now_), nullptr);
  EXPECT_THAT(WaitFor(1), ElementsAre("a.rebound.test"));
  Names().Set(true);
  WaitFor(10);
}

TEST_F(NameLookupTest, NewNamesAreServedWhileSuspectOnesHang) {
  Names().Set(true);
  for (int i = 0; i < 10; ++i) names_.Ask(std::to_string(i) + ".hanging.test", now_);
  WaitFor(10);
  Names().Set(false);
  const int before = Names().Asked();
  for (int i = 0; i < 10; ++i) names_.Ask(std::to_string(i) + ".hanging.test", now_);
  ASSERT_TRUE(Names().WaitForAsked(before + 1));
  EXPECT_EQ(names_.Ask("b.rebound.test", now_), nullptr);
  EXPECT_THAT(WaitFor(1), ElementsAre("b.rebound.test"));
  EXPECT_EQ(Names().Asked(), before + 1);
  Names().Set(true);
  WaitFor(10);
}

TEST_F(NameLookupTest, AKnownAddressServesWhileItIsAskedForAgain) {
  names_.Ask("c.rebound.test", now_);
  WaitFor(1);
  now_ += absl::Minutes(2);
  const auto known = names_.Ask("c.rebound.test", now_);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->addresses, "127.0.0.1");
  EXPECT_THAT(WaitFor(1), ElementsAre("c.rebound.test"));
}

}  // namespace
}  // namespace poller
