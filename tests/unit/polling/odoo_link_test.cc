// Which client a connection's passes use.
#include "core/polling/odoo_link.h"

#include <gtest/gtest.h>

#include "core/http/http_client.h"
#include "tests/support/fake_time.h"

namespace poller {
namespace {

class NoHttp final : public HttpClient {
 public:
  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest) override {
    co_return absl::UnimplementedError("nobody calls it");
  }
};

class OdooLinkTest : public testing::Test {
 protected:
  static ConnectionWithState Connection(std::int64_t version, const std::string& key = "key") {
    ConnectionWithState connection;
    connection.connection.version = version;
    connection.connection.settings.odoo.url = "https://shop.example";
    connection.connection.settings.odoo.database = "shop1";
    connection.connection.settings.odoo.username = "admin";
    connection.connection.settings.odoo.api_key = Secret(key);
    return connection;
  }
  NoHttp http_;
  LaneRegistry turns_;
  PollingOptions options_;
  FakeClock clock_;
  FakeSleeper sleeper_{clock_, nullptr};
  OdooLink link_{http_, clock_, sleeper_, turns_, options_};
};

TEST_F(OdooLinkTest, EditsOfOtherThingsKeepTheClient) {
  EXPECT_FALSE(link_.Use(Connection(1))) << "there was none before";
  const auto client = link_.client();
  ASSERT_NE(client, nullptr);
  ConnectionWithState renamed = Connection(2);
  renamed.connection.settings.name = "renamed";
  EXPECT_FALSE(link_.Use(renamed));
  EXPECT_EQ(link_.client(), client);
}

TEST_F(OdooLinkTest, AnotherLoginIsAnotherClientOfTheSameOdoo) {
  link_.Use(Connection(1));
  const auto client = link_.client();
  const auto turn = link_.turn();
  EXPECT_TRUE(link_.Use(Connection(2, "new key")));
  EXPECT_NE(link_.client(), client);
  EXPECT_EQ(link_.turn(), turn);
}

// A sweep read its connection before an edit, and gets on after a poll that read it later.
TEST_F(OdooLinkTest, OlderSettingsDoNotComeBack) {
  link_.Use(Connection(1));
  link_.Use(Connection(2, "new key"));
  const auto client = link_.client();
  EXPECT_FALSE(link_.Use(Connection(1)));
  EXPECT_EQ(link_.client(), client);
  EXPECT_FALSE(link_.Use(Connection(2, "new key")));
  EXPECT_EQ(link_.client(), client);
}

}  // namespace
}  // namespace poller
