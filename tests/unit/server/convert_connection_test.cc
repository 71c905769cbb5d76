#include "server/rpc/convert_connection.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "server/rpc/connection_fields.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

v1::Connection GoodConnection() {
  v1::Connection connection;
  connection.set_name("shop");
  connection.mutable_odoo()->set_url("https://shop.example.com");
  connection.mutable_odoo()->set_database("shop1");
  connection.mutable_odoo()->set_username("admin");
  connection.mutable_odoo()->set_api_key("key-1");
  connection.mutable_webhook()->set_url("https://hook.example.com/in");
  connection.mutable_webhook()->set_secret("secret-1");
  return connection;
}

std::vector<std::string> WrongFields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

google::protobuf::FieldMask Mask(const std::vector<std::string>& paths) {
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths) mask.add_paths(path);
  return mask;
}

TEST(NewSettingsTest, LeavesDefaultsToTheServer) {
  ASSERT_OK_AND_ASSIGN(const ConnectionSettings settings, NewSettings(GoodConnection(), {}, kNow));
  EXPECT_EQ(settings.interval, absl::Seconds(60));
  EXPECT_EQ(settings.overlap, absl::ZeroDuration());
  EXPECT_EQ(settings.odoo.api_key.Reveal(), "key-1");
}

TEST(NewSettingsTest, CompletesTheWebhookUrl) {
  v1::Connection connection = GoodConnection();
  connection.mutable_webhook()->clear_url();
  ConnectionRules rules;
  rules.default_webhook_url = "https://default.example.com/in";
  EXPECT_EQ(NewSettings(connection, rules, kNow)->webhook.url, "https://default.example.com/in");
  EXPECT_THAT(WrongFields(NewSettings(connection, {}, kNow).status()),
              ElementsAre("connection.webhook.url"));
}

TEST(NewSettingsTest, ListsAllWrongFields) {
  v1::Connection connection;
  connection.set_name("42");
  connection.mutable_odoo()->set_url("shop.example.com");
  connection.mutable_interval();  // 0
  connection.mutable_overlap();   // 0
  connection.mutable_line_interval()->set_nanos(2'000'000'000);
  connection.mutable_odoo()->set_protocol(static_cast<v1::OdooProtocol>(9));
  connection.mutable_odoo()->set_rate(0.05);
  connection.mutable_odoo()->add_company_ids(-1);
  connection.mutable_odoo()->set_ca_pem("no pem");
  connection.set_start_from("last:0");
  EXPECT_THAT(WrongFields(NewSettings(connection, {}, kNow).status()),
              UnorderedElementsAre(
                  "connection.name", "connection.odoo.url", "connection.odoo.database",
                  "connection.odoo.username", "connection.odoo.api_key", "connection.odoo.protocol",
                  "connection.odoo.rate", "connection.odoo.company_ids", "connection.odoo.ca_pem",
                  "connection.webhook.url", "connection.webhook.secret", "connection.interval",
                  "connection.overlap", "connection.line_interval", "connection.start_from"));
}

TEST(NewSettingsTest, TakesProtocolAndRate) {
  v1::Connection connection = GoodConnection();
  EXPECT_EQ(NewSettings(connection, {}, kNow)->odoo.protocol, OdooProtocol::kAuto);
  connection.mutable_odoo()->set_protocol(v1::ODOO_PROTOCOL_JSON2);
  connection.mutable_odoo()->set_rate(0.5);
  const auto settings = NewSettings(connection, {}, kNow);
  ASSERT_OK(settings);
  EXPECT_EQ(settings->odoo.protocol, OdooProtocol::kJson2);
  EXPECT_EQ(settings->odoo.rate, 0.5);
}

TEST(NewSettingsTest, TakesEveryFormOfStartFrom) {
  for (const char* const start :
       {"now", "beginning", "last:1", "last:100000", "2026-01-31T00:00:00Z"}) {
    v1::Connection connection = GoodConnection();
    connection.set_start_from(start);
    const auto settings = NewSettings(connection, {}, kNow);
    ASSERT_OK(settings) << start;
    EXPECT_EQ(settings->start_from.Text().substr(0, 10), std::string(start).substr(0, 10));
  }
}

TEST(NewSettingsTest, SaysWhichFormsOfStartFromThereAre) {
  for (const char* const start : {"yesterday", "last:", "last:0", "last:100001", "2026-13-31"}) {
    v1::Connection connection = GoodConnection();
    connection.set_start_from(start);
    const absl::Status refused = NewSettings(connection, {}, kNow).status();
    EXPECT_THAT(WrongFields(refused), ElementsAre("connection.start_from")) << start;
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("beginning")));
  }
}

TEST(NewSettingsTest, HistoryDoesNotBeginInTheFuture) {
  v1::Connection connection = GoodConnection();
  connection.set_start_from(poller::FormatTime(kNow + absl::Seconds(1)));
  const absl::Status refused = NewSettings(connection, {}, kNow).status();
  EXPECT_THAT(WrongFields(refused), ElementsAre("connection.start_from"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("future")));
}

TEST(NewSettingsTest, ChecksAddressesInUrlsAtOnce) {
  v1::Connection connection = GoodConnection();
  connection.mutable_odoo()->set_url("http://127.0.0.1:8069");
  connection.mutable_webhook()->set_url("http://localhost:9000/in");
  const auto refused = NewSettings(connection, {}, kNow);
  EXPECT_THAT(WrongFields(refused.status()),
              UnorderedElementsAre("connection.odoo.url", "connection.webhook.url"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--egress-allow")));
  ConnectionRules rules;
  rules.egress.allow.push_back(*Cidr::Parse("127.0.0.0/8"));
  EXPECT_OK(NewSettings(connection, rules, kNow));
}

class ChangeSettingsTest : public testing::Test {
 protected:
  absl::StatusOr<ChangedSettings> Change(const v1::Connection& connection,
                                         const std::vector<std::string>& paths) {
    return ChangeSettings(before, connection, Mask(paths), {});
  }
  const ConnectionSettings before = *NewSettings(GoodConnection(), {}, kNow);
};

TEST_F(ChangeSettingsTest, TakesTheNamedFieldsAlone) {
  v1::Connection connection;
  connection.set_name("new");
  connection.set_external_id("ignored");
  connection.mutable_interval()->set_seconds(90);
  ASSERT_OK_AND_ASSIGN(const auto change, Change(connection, {"name", "interval"}));
  EXPECT_EQ(change.settings.name, "new");
  EXPECT_EQ(change.settings.interval, absl::Seconds(90));
  EXPECT_EQ(change.settings.external_id, "");
  EXPECT_THAT(change.changed, ElementsAre("name", "interval"));
  EXPECT_FALSE(change.credentials);
  EXPECT_FALSE(change.other_odoo);
}

TEST_F(ChangeSettingsTest, SetsWhatIsNamedAndUnsetToItsDefault) {
  v1::Connection with_interval;
  with_interval.mutable_interval()->set_seconds(90);
  ConnectionSettings changed = Change(with_interval, {"interval"})->settings;
  const auto back = ChangeSettings(changed, v1::Connection(), Mask({"interval"}), {});
  EXPECT_EQ(back->settings.interval, absl::Seconds(60));
}

TEST_F(ChangeSettingsTest, CountsOnlyWhatDiffers) {
  v1::Connection connection = GoodConnection();
  ASSERT_OK_AND_ASSIGN(const auto change, Change(connection, {"name", "odoo.database"}));
  EXPECT_THAT(change.changed, IsEmpty());
}

TEST_F(ChangeSettingsTest, WantsTheSecretAnewForAnotherServer) {
  v1::Connection connection;
  connection.mutable_odoo()->set_url("https://shop.example.com:8443");
  connection.mutable_webhook()->set_url("http://hook.example.com/in");
  const auto refused = Change(connection, {"odoo.url", "webhook.url"});
  EXPECT_THAT(WrongFields(refused.status()),
              UnorderedElementsAre("connection.odoo.api_key", "connection.webhook.secret"));

  connection.mutable_odoo()->set_api_key("key-2");
  connection.mutable_webhook()->set_secret("secret-2");
  ASSERT_OK_AND_ASSIGN(const auto change, Change(connection, {"odoo.url", "odoo.api_key",
                                                              "webhook.url", "webhook.secret"}));
  EXPECT_EQ(change.settings.odoo.api_key.Reveal(), "key-2");
  EXPECT_TRUE(change.credentials);
}

TEST_F(ChangeSettingsTest, KeepsTheSecretWhenOnlyThePathChanges) {
  v1::Connection connection;
  connection.mutable_webhook()->set_url("https://hook.example.com:443/other");
  ASSERT_OK_AND_ASSIGN(const auto change, Change(connection, {"webhook.url"}));
  EXPECT_EQ(change.settings.webhook.secret.Reveal(), "secret-1");
}

TEST_F(ChangeSettingsTest, NoticesAnotherOdoo) {
  v1::Connection connection;
  connection.mutable_odoo()->set_database("shop2");
  EXPECT_TRUE(Change(connection, {"odoo.database"})->other_odoo);
  connection.mutable_odoo()->set_url("https://other.example.com");
  connection.mutable_odoo()->set_api_key("key-2");
  EXPECT_TRUE(Change(connection, {"odoo.url", "odoo.api_key"})->other_odoo);
}

TEST_F(ChangeSettingsTest, RefusesToUnsetASecret) {
  EXPECT_THAT(WrongFields(Change({}, {"odoo.api_key", "webhook.secret"}).status()),
              UnorderedElementsAre("connection.odoo.api_key", "connection.webhook.secret"));
}

TEST_F(ChangeSettingsTest, RefusesPathsThatAreNoSettings) {
  for (const char* const path : {"id", "uid", "state", "etag", "create_time", "odoo.has_api_key",
                                 "paused_polling", "start_from", "odoo.nonsense", "nonsense", ""}) {
    EXPECT_THAT(WrongFields(Change({}, {path}).status()), ElementsAre("update_mask")) << path;
  }
  EXPECT_THAT(WrongFields(Change({}, {}).status()), ElementsAre("update_mask"));
}

TEST_F(ChangeSettingsTest, TakesAWholePartWithoutItsSecret) {
  v1::Connection connection;
  *connection.mutable_odoo() = GoodConnection().odoo();
  connection.mutable_odoo()->clear_api_key();
  connection.mutable_odoo()->set_username("other");
  ASSERT_OK_AND_ASSIGN(const auto change, Change(connection, {"odoo"}));
  EXPECT_EQ(change.settings.odoo.api_key.Reveal(), "key-1");
  EXPECT_THAT(change.changed, ElementsAre("odoo.username"));
}

// A setting that the API has and no update can reach would be forgotten here.
TEST(ConnectionFieldsTest, CoverEverySettingOfTheApi) {
  const std::vector<std::string> not_settings = {"id",
                                                 "uid",
                                                 "state",
                                                 "etag",
                                                 "create_time",
                                                 "update_time",
                                                 "start_from",
                                                 "paused_polling",
                                                 "paused_delivery",
                                                 "odoo.has_api_key",
                                                 "webhook.has_secret",
                                                 "webhook.rotation_end_time"};
  std::vector<std::string> paths;
  const auto* descriptor = v1::Connection::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->name() != "odoo" && field->name() != "webhook") {
      paths.push_back(field->name());
      continue;
    }
    for (int k = 0; k < field->message_type()->field_count(); ++k) {
      paths.push_back(field->name() + "." + field->message_type()->field(k)->name());
    }
  }
  for (const std::string& path : paths) {
    const bool setting = std::any_of(ConnectionFields().begin(), ConnectionFields().end(),
                                     [&](const auto& f) { return f.path == path; });
    const bool excluded =
        std::find(not_settings.begin(), not_settings.end(), path) != not_settings.end();
    EXPECT_NE(setting, excluded) << path;
  }
}

TEST(ConnectionToProtoTest, NeverHoldsASecret) {
  ConnectionWithState row;
  row.connection.id = ConnectionId(7);
  row.connection.version = 3;
  row.connection.settings = *NewSettings(GoodConnection(), {}, kNow);
  const v1::Connection proto = ToProto(row, {}, false, kNow);
  EXPECT_TRUE(proto.odoo().has_api_key());
  EXPECT_TRUE(proto.webhook().has_secret());
  EXPECT_THAT(proto.SerializeAsString(), Not(HasSubstr("key-1")));
  EXPECT_THAT(proto.SerializeAsString(), Not(HasSubstr("secret-1")));
  EXPECT_EQ(proto.overlap().seconds(), 300);  // the server's, in effect
  EXPECT_EQ(*VersionOf(proto.etag()), 3);
}

TEST(ConnectionToProtoTest, ARotationThatIsOverIsNotShown) {
  const absl::Time end = absl::FromUnixSeconds(1'800'000'000);
  ConnectionWithState row;
  row.connection.settings = *NewSettings(GoodConnection(), {}, kNow);
  row.connection.rotation = SecretRotation{Secret("before"), end};
  EXPECT_TRUE(ToProto(row, {}, false, end - absl::Seconds(1)).webhook().has_rotation_end_time());
  EXPECT_FALSE(ToProto(row, {}, false, end).webhook().has_rotation_end_time());
}

TEST(EtagTest, RefusesWhatIsNone) {
  for (const char* const etag : {"", "3", "v", "v0", "v-1", "v3x", "x3"}) {
    EXPECT_THAT(VersionOf(etag), StatusIs(absl::StatusCode::kAborted)) << etag;
  }
}

TEST(HealthTest, TakesTheFirstThatApplies) {
  ConnectionWithState row;
  EXPECT_EQ(HealthOf(row, false), v1::CONNECTION_HEALTH_HEALTHY);
  row.connection.settings.paused_delivery = true;
  EXPECT_EQ(HealthOf(row, false), v1::CONNECTION_HEALTH_PAUSED);
  EXPECT_FALSE(IsUnhealthy(row, false));
  row.state.dead = 1;
  EXPECT_EQ(HealthOf(row, false), v1::CONNECTION_HEALTH_DEGRADED);
  row.state.held_since = absl::UnixEpoch();
  EXPECT_EQ(HealthOf(row, false), v1::CONNECTION_HEALTH_HELD);
  EXPECT_EQ(HealthOf(row, true), v1::CONNECTION_HEALTH_STANDS_STILL);
  row.state.receiver_breaker.state = BreakerState::kOpen;
  EXPECT_EQ(HealthOf(row, true), v1::CONNECTION_HEALTH_CIRCUIT_OPEN);
  row.state.suspension = Suspension{};
  EXPECT_EQ(HealthOf(row, true), v1::CONNECTION_HEALTH_SUSPENDED);
  EXPECT_TRUE(IsUnhealthy(row, false));
}

TEST(HealthTest, HeldAfterARestoreNeedsSomebody) {
  ConnectionWithState row;
  row.state.held_since = absl::UnixEpoch();
  EXPECT_TRUE(IsUnhealthy(row, false));
}

TEST(HealthTest, NothingThatWouldBePolledIsHealthyOnAFullDisk) {
  ConnectionWithState polled, paused;
  paused.connection.settings.paused_polling = true;
  EXPECT_EQ(HealthOf(polled, true), v1::CONNECTION_HEALTH_STANDS_STILL);
  EXPECT_TRUE(IsUnhealthy(polled, true));
  EXPECT_EQ(HealthOf(paused, true), v1::CONNECTION_HEALTH_PAUSED);
}

TEST(HealthTest, IsDegradedByEachTrouble) {
  ConnectionWithState half_open, failed, gone;
  half_open.state.odoo_breaker.state = BreakerState::kHalfOpen;
  failed.state.last_poll.error = "timeout";
  gone.state.receiver_gone_since = absl::UnixEpoch();
  for (const auto& row : {half_open, failed, gone})
    EXPECT_EQ(HealthOf(row, false), v1::CONNECTION_HEALTH_DEGRADED);
}

}  // namespace
}  // namespace poller::rpc
