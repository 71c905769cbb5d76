// Which protocol the client speaks: chosen once, remembered, and found again when it is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <optional>
#include <string>

#include "core/base/text.h"
#include "core/odoo/odoo_client.h"
#include "core/odoo/version.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/recorded_odoo.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ProtocolTest : public testing::Test {
 protected:
  void Use(const std::string& version, OdooProtocol wanted = OdooProtocol::kAuto,
           const Session& session = Session()) {
    odoo_.emplace(version);
    Target target;
    target.url = "https://shop.example";
    target.database = odoo_->database();
    target.username = "poller";
    target.api_key = Secret("a-very-secret-key");
    target.protocol = wanted;
    client_.emplace(http_, target, session);
  }
  absl::Status List() {
    return Await(client_->ListOrders(absl::FromUnixSeconds(1577836800), OrderId(20), 1000))
        .status();
  }
  OdooProtocol InUse() const { return client_->session().protocol; }

  std::optional<RecordedOdoo> odoo_;
  ScriptedHttp http_{[this](const HttpRequest& request) { return odoo_->Answer(request); }};
  std::optional<Client> client_;
};

TEST_F(ProtocolTest, SpeaksJsonRpcBefore19) {
  Use("18");
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJsonRpc);
  EXPECT_THAT(odoo_->calls, ElementsAre("version", "authenticate", "sale.order.search_read"));
}

TEST_F(ProtocolTest, PrefersJson2From19On) {
  Use("19");
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
  EXPECT_EQ(client_->session().uid, 7);
  EXPECT_EQ(client_->session().server_version, "19.0");
  EXPECT_THAT(odoo_->calls,
              ElementsAre("version", "res.users.context_get", "sale.order.search_read"));
}

TEST_F(ProtocolTest, AsksOnce) {
  Use("19");
  ASSERT_OK(List());
  odoo_->calls.clear();
  ASSERT_OK(List());
  EXPECT_THAT(odoo_->calls, ElementsAre("sale.order.search_read"));
}

TEST_F(ProtocolTest, GoesOnWithWhatWasStored) {
  Session session;
  session.uid = 7;
  session.server_version = "19.0";
  session.protocol = OdooProtocol::kJson2;
  Use("19", OdooProtocol::kAuto, session);
  ASSERT_OK(List());
  EXPECT_THAT(odoo_->calls, ElementsAre("sale.order.search_read"));
}

// JSON-2 refuses passwords, which JSON-RPC takes.
TEST_F(ProtocolTest, StaysWithJsonRpcWhereJson2RefusesTheKey) {
  Use("19");
  odoo_->takes_key = false;
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJsonRpc);
}

TEST_F(ProtocolTest, SpeaksJson2WhereThereIsNothingElse) {
  Use("19");
  odoo_->has_json_rpc = false;
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
  EXPECT_THAT(odoo_->calls,
              ElementsAre("404", "web/version", "res.users.context_get", "sale.order.search_read"));
}

TEST_F(ProtocolTest, ARefusedKeyIsToldWhereThereIsNothingElse) {
  Use("19");
  odoo_->has_json_rpc = false;
  odoo_->takes_key = false;
  EXPECT_EQ(ErrorKindOf(List()), ErrorKind::kCredentials);
}

TEST_F(ProtocolTest, MovesWhenJsonRpcIsGoneWithinTheSameCall) {
  Session session;
  session.uid = 7;
  session.protocol = OdooProtocol::kJsonRpc;
  Use("19", OdooProtocol::kAuto, session);
  odoo_->has_json_rpc = false;
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
  EXPECT_THAT(odoo_->calls, ElementsAre("404", "404", "web/version", "sale.order.search_read"));
}

TEST_F(ProtocolTest, AServerWithoutAnyApiIsNotAskedForEver) {
  Use("18");
  odoo_->has_json_rpc = false;
  EXPECT_EQ(ErrorKindOf(List()), ErrorKind::kProtocolGone);
  EXPECT_THAT(odoo_->calls, ElementsAre("404", "404"));
  EXPECT_EQ(InUse(), OdooProtocol::kAuto);
}

TEST_F(ProtocolTest, MovesWhenTheVersionIsAskedForAfterAnUpgrade) {
  Use("19", OdooProtocol::kAuto, {7, "18.0", OdooProtocol::kJsonRpc});
  EXPECT_THAT(Await(client_->Version()), IsOkAndHolds("19.0"));
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
}

TEST_F(ProtocolTest, MovesBackWhenAnOlderServerWasRestored) {
  Use("18", OdooProtocol::kAuto, {7, "19.0", OdooProtocol::kJson2});
  EXPECT_THAT(Await(client_->Version()), IsOkAndHolds("18.0"));
  EXPECT_EQ(InUse(), OdooProtocol::kJsonRpc);
}

TEST_F(ProtocolTest, DoesAsItIsTold) {
  Use("19", OdooProtocol::kJsonRpc);
  ASSERT_OK(List());
  EXPECT_THAT(Await(client_->Version()), IsOkAndHolds("19.0"));
  EXPECT_EQ(InUse(), OdooProtocol::kJsonRpc);

  Use("19", OdooProtocol::kJson2);
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
  EXPECT_EQ(odoo_->Count("version"), 0);

  Use("18", OdooProtocol::kJson2);
  EXPECT_FALSE(List().ok());
  EXPECT_EQ(odoo_->Count("version"), 0);
}

TEST_F(ProtocolTest, AServerThatIsDownIsNotTakenForAnotherProtocol) {
  Use("19");
  odoo_->FailNext("version", ErrorAnswer("psycopg2.OperationalError", "Connection refused"));
  EXPECT_EQ(ErrorKindOf(List()), ErrorKind::kServerDown);
  EXPECT_EQ(InUse(), OdooProtocol::kAuto);
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJson2);
}

TEST_F(ProtocolTest, AnOdooThatHidesItsVersionCanBeCalled) {
  Use("17");
  odoo_->FailNext("version", ErrorAnswer("werkzeug.exceptions.BadRequest", "no"));
  ASSERT_OK(List());
  EXPECT_EQ(InUse(), OdooProtocol::kJsonRpc);
}

TEST(VersionTest, ReadsBothWaysOfSayingIt) {
  const auto read = [](const char* text) { return ReadVersion(boost::json::parse(text)); };
  EXPECT_THAT(read(R"({"server_version":"17.0-20240709","server_serie":"17.0"})"),
              IsOkAndHolds("17.0"));
  EXPECT_THAT(read(R"({"version":"19.0-20251001","version_info":[19,0]})"), IsOkAndHolds("19.0"));
  EXPECT_THAT(read(R"({"version":"saas~19.1+e"})"), IsOkAndHolds("saas~19.1"));
  for (const char* odd :
       {"{}", "[]", "null", R"({"version":19})", R"({"version":""})", R"({"version":"-"})"}) {
    EXPECT_EQ(ErrorKindOf(read(odd).status()), ErrorKind::kGarbage) << odd;
  }
}

TEST(VersionTest, KnowsTheMajorNumber) {
  EXPECT_EQ(MajorVersion("17.0"), 17);
  EXPECT_EQ(MajorVersion("saas~18.3"), 18);
  EXPECT_EQ(MajorVersion(""), 0);
  EXPECT_EQ(MajorVersion("master"), 0);
}

TEST(VersionTest, WarnsOfARemovalThatIsNear) {
  const auto warning = [](const char* version, OdooProtocol protocol, const char* url,
                          const char* day) {
    return ProtocolWarning(version, protocol, url, *ParseOdooTime(std::string(day) + " 00:00:00"));
  };
  constexpr auto kRpc = OdooProtocol::kJsonRpc;
  const char* own = "https://odoo.shop.example";
  const char* online = "https://shop.odoo.com";
  EXPECT_THAT(warning("17.0", kRpc, own, "2026-11-28"), IsEmpty());
  EXPECT_THAT(warning("17.0", kRpc, own, "2027-09-02"), HasSubstr("2028-09"));
  EXPECT_THAT(warning("saas~18.3", kRpc, online, "2026-11-28"), IsEmpty());
  EXPECT_THAT(warning("saas~18.3", kRpc, online, "2026-12-02"), HasSubstr("2027-12"));
  EXPECT_THAT(warning("19.0", kRpc, own, "2026-11-28"), HasSubstr("API key"));
  EXPECT_THAT(warning("19.0", OdooProtocol::kJson2, own, "2028-12-01"), IsEmpty());
  EXPECT_THAT(warning("", OdooProtocol::kAuto, own, "2028-12-01"), IsEmpty());
}

TEST(VersionTest, TellsOdooOnlineByItsName) {
  EXPECT_TRUE(IsOdooOnline("https://shop.odoo.com/"));
  EXPECT_TRUE(IsOdooOnline("https://SHOP.ODOO.COM"));
  EXPECT_FALSE(IsOdooOnline("https://odoo.com.shop.example"));
  EXPECT_FALSE(IsOdooOnline("https://myodoo.com"));
}

}  // namespace
}  // namespace poller::odoo
