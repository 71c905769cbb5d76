// What an Odoo sees of us: one call at a time, on one connection, no faster than it asked for, and compressed
// where it likes. Real sockets and real time; only lower bounds of time are asserted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/isolation/neighbours.h"

namespace poller::test {
namespace {

constexpr absl::Duration kBound = absl::Seconds(30);
constexpr char kLimitedKey[] = "limited-key";

bool WaitFor(const std::function<bool()>& done) {
  const absl::Duration until = SystemClock().Monotonic() + kBound;
  while (!done()) {
    if (SystemClock().Monotonic() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// A simulated Odoo behind a server whose answers a test may change.
class WatchedOdoo {
 public:
  // `change` may replace the answer, or nothing.
  using Change = std::function<void(const TestRequest&, TestReply&)>;

  WatchedOdoo() {
    for (const char* name : {"shop1", "shop2"}) {
      SimDatabase& db = sim_.AddDatabase(name);
      db.AddUser({.login = "limited", .api_key = kLimitedKey});
      partners_.push_back(db.AddPartner({.name = "Acme"}));
      products_.push_back(db.AddProduct({.name = "Widget", .default_code = "WID", .price = 50}));
    }
    server_ = HttpServer::Start([this](const TestRequest& request) {
      TestReply reply = sim_.Handle(request);
      Change change;
      {
        absl::MutexLock lock(&mu_);
        change = change_;
      }
      if (change) change(request, reply);
      return reply;
    });
  }

  void SetChange(Change change) {
    absl::MutexLock lock(&mu_);
    change_ = std::move(change);
  }
  void Confirm() {
    sim_.db("shop1").CreateConfirmedOrder(
        {.partner_id = partners_[0], .lines = {{.product_id = products_[0]}}}, {});
  }
  std::string Url() const { return server_->Url(); }
  HttpServer::Counts counts() const { return server_->counts(); }
  std::int64_t Polls(const std::string& database) const {
    std::int64_t polls = 0;
    for (const OdooCall& call : sim_.Calls()) {
      polls += call.db == database && call.method == "search_read" ? 1 : 0;
    }
    return polls;
  }

 private:
  OdooSim sim_;
  std::vector<RecordId> partners_, products_;
  absl::Mutex mu_;
  Change change_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

class PolitenessTest : public testing::Test {
 protected:
  ConnectionSettings Settings(const std::string& name) const {
    return Neighbours::Settings(name, odoo_.Url(), other_.WebhookUrl());
  }

  std::vector<absl::Duration> Calls() {
    absl::MutexLock lock(&mu_);
    return calls_;
  }

  absl::Mutex mu_;
  std::vector<absl::Duration> calls_ ABSL_GUARDED_BY(mu_);  // when they came
  std::size_t offered_ ABSL_GUARDED_BY(mu_) = 0;            // that may be answered compressed
  WatchedOdoo odoo_;
  Shop other_;          // an Odoo of its own
  Neighbours service_;  // ends before the servers do
};

// --- 429 and 503 ---

struct Refusal {
  const char* name;
  int status;
  bool as_date;
  friend std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
    return out << refusal.name;
  }
};

class RefusalTest : public PolitenessTest, public testing::WithParamInterface<Refusal> {
 protected:
  // The next call of the user "limited" is refused and told to wait. Its calls alone are noted.
  void Limit(absl::Duration wait) {
    odoo_.SetChange([this, wait](const TestRequest& request, TestReply& reply) {
      if (request.body.find(kLimitedKey) == std::string::npos) return;
      absl::MutexLock lock(&mu_);
      calls_.push_back(SystemClock().Monotonic());
      if (calls_.size() > 1) return;
      // The web server's clock is not ours: what counts is the difference to its Date.
      const absl::Time date = SystemClock().Now() + absl::Hours(7);
      reply = TextReply(GetParam().status, "<html>slow down</html>");
      reply.headers.Set("Content-Type", "text/html");
      reply.headers.Set("Date", FormatHttpDate(date));
      reply.headers.Set("Retry-After", GetParam().as_date
                                           ? FormatHttpDate(date + wait)
                                           : std::to_string(absl::ToInt64Seconds(wait)));
    });
  }
  void AddLimited() {
    ConnectionSettings limited = Settings("limited");
    limited.odoo.username = "limited";
    limited.odoo.api_key = Secret(kLimitedKey);
    service_.Add(limited);
  }
};

TEST_P(RefusalTest, HoldsThatConnectionAlone) {
  AddLimited();
  service_.Add(Settings("same database"));
  ConnectionSettings neighbour = Settings("same server");
  neighbour.odoo.database = "shop2";
  service_.Add(neighbour);
  service_.Add("other server", other_.OdooUrl(), other_.WebhookUrl());
  Limit(absl::Minutes(30));
  ASSERT_TRUE(WaitFor([&] { return !Calls().empty(); }));
  const std::int64_t one = odoo_.Polls("shop1"), two = odoo_.Polls("shop2"), far = other_.Polls();
  ASSERT_TRUE(WaitFor([&] {
    return odoo_.Polls("shop1") >= one + 10 && odoo_.Polls("shop2") >= two + 10 &&
           other_.Polls() >= far + 10;
  }));
  EXPECT_EQ(Calls().size(), 1u);
}

TEST_P(RefusalTest, EndsWhenTheServerSaid) {
  AddLimited();
  Limit(absl::Seconds(2));
  ASSERT_TRUE(WaitFor([&] { return Calls().size() >= 2; }));
  // A date has whole seconds.
  EXPECT_GE(Calls()[1] - Calls()[0], absl::Seconds(1));
}

INSTANTIATE_TEST_SUITE_P(Ways, RefusalTest,
                         testing::Values(Refusal{"TooManyInSeconds", 429, false},
                                         Refusal{"TooManyUntilADate", 429, true},
                                         Refusal{"UnavailableInSeconds", 503, false},
                                         Refusal{"UnavailableUntilADate", 503, true}),
                         [](const auto& test) { return std::string(test.param.name); });

// --- calls ---

TEST_F(PolitenessTest, ConnectionsOfOneOdooTakeTurnsOnOneSocket) {
  odoo_.SetChange([](const TestRequest&, TestReply& reply) {
    reply.delay = absl::Milliseconds(20);  // long enough to meet
  });
  for (int i = 0; i < 4; ++i) service_.Add(Settings("shop" + std::to_string(i)));
  ASSERT_TRUE(WaitFor([&] { return odoo_.counts().requests >= 60; }));
  EXPECT_EQ(odoo_.counts().max_in_flight, 1u);
  EXPECT_EQ(odoo_.counts().connections, 1u) << "kept alive from the first call to the last";
}

TEST_F(PolitenessTest, ARateHoldsOverAllConnectionsOfAnOdoo) {
  odoo_.SetChange([this](const TestRequest&, TestReply&) {
    absl::MutexLock lock(&mu_);
    calls_.push_back(SystemClock().Monotonic());
  });
  for (int i = 0; i < 3; ++i) {
    ConnectionSettings settings = Settings("shop" + std::to_string(i));
    settings.odoo.rate = 10;
    service_.Add(settings);
  }
  ASSERT_TRUE(WaitFor([&] { return Calls().size() >= 21; }));
  // Twenty gaps of 100 ms; one may look shorter because its first call was long on its way.
  EXPECT_GE(Calls()[20] - Calls()[0], absl::Milliseconds(1900));
}

TEST_F(PolitenessTest, TakesCompressedAnswers) {
  odoo_.SetChange([this](const TestRequest& request, TestReply& reply) {
    absl::MutexLock lock(&mu_);
    reply.gzip = request.headers.Get("Accept-Encoding").find("gzip") != std::string::npos;
    offered_ += reply.gzip ? 1 : 0;
    calls_.push_back(SystemClock().Monotonic());
  });
  service_.Add(Settings("shop"));
  ASSERT_TRUE(WaitFor([&] { return odoo_.Polls("shop1") >= 2; }));
  odoo_.Confirm();
  EXPECT_TRUE(other_.receiver().WaitFor(
      [](const ReceiverSummary& summary) { return summary.accepted_orders >= 1; }, kBound));
  absl::MutexLock lock(&mu_);
  EXPECT_EQ(offered_, calls_.size());
}

}  // namespace
}  // namespace poller::test
