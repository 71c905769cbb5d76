#include "tests/integration/server/server_fixture.h"

#include <stdlib.h>

#include <fstream>

#include "core/base/random_source.h"
#include "core/crypto/hash.h"
#include "server/admin_token.h"
#include "server/files.h"
#include "server/first_start.h"

namespace poller {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

template <class Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) break;
  }
  return detail;
}

}  // namespace

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status);
}

std::vector<std::string> WrongFields(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  return fields;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "pollerd-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

EventReader::EventReader(v1::SyncLogService::Stub& stub, const v1::StreamSyncEventsRequest& request,
                         const std::string& token) {
  context_.AddMetadata("authorization", "Bearer " + token);
  context_.set_deadline(absl::ToChronoTime(SystemClock().Now() + kPatience));
  reader_ = stub.StreamSyncEvents(&context_, request);
}

EventReader::~EventReader() {
  if (ended_) return;
  context_.TryCancel();
  End();
}

std::optional<v1::StreamSyncEventsResponse> EventReader::Next() {
  v1::StreamSyncEventsResponse message;
  if (!reader_->Read(&message)) return std::nullopt;
  return message;
}

std::optional<v1::SyncEvent> EventReader::NextEvent() {
  while (auto message = Next()) {
    if (message->has_event()) return message->event();
  }
  return std::nullopt;
}

std::optional<v1::Heartbeat> EventReader::NextHeartbeat() {
  while (auto message = Next()) {
    if (message->has_heartbeat()) return message->heartbeat();
  }
  return std::nullopt;
}

std::optional<v1::SyncEvent> EventReader::Until(v1::EventType type) {
  while (auto event = NextEvent()) {
    if (event->type() == type) return event;
  }
  return std::nullopt;
}

Answer<v1::StreamSyncEventsResponse> EventReader::End() {
  while (Next()) {
  }
  ended_ = true;
  return {reader_->Finish(), {}};
}

ServerFixture::ServerFixture() : db_(sim_.AddDatabase("shop1")) {
  CryptoInit();
  odoo_ = sim_.Serve();
  receiver_.AddSecret("", "shop-secret");
  hook_ = receiver_.Serve();
  partner_ = db_.AddPartner({.name = "Acme"});
  product_ = db_.AddProduct({.name = "Widget", .default_code = "WID", .price = 50});
  options_.data_dir = folder_.path() / "data";
  options_.listen = {"127.0.0.1:0"};
  options_.egress.allow.push_back(*Cidr::Parse("127.0.0.0/8"));
  options_.threads = 2;
  options_.retry.base = absl::Milliseconds(200);
  options_.retry.max = absl::Milliseconds(200);
  options_.breaker.open = absl::Milliseconds(200);
  options_.shutdown_grace = absl::Seconds(10);
}

ServerFixture::~ServerFixture() {
  if (app_ != nullptr) Stop();
}

std::unique_ptr<SqliteStorage> ServerFixture::OpenStorage() {
  SqliteOptions sqlite;
  sqlite.path = options_.DbPath();
  auto keys = LoadKeys(options_, SqliteStorage::IsNew(sqlite.path), SystemRandom(), NullLogger());
  EXPECT_OK(keys.status());
  if (!keys.ok()) return nullptr;
  sqlite.master_keys = *std::move(keys);
  auto storage = SqliteStorage::Open(sqlite, SystemClock(), SystemRandom(), storage_metrics_);
  EXPECT_OK(storage.status());
  return storage.ok() ? *std::move(storage) : nullptr;
}

void ServerFixture::MakeTokens() {
  ASSERT_OK(PrepareDataDir(options_, NullLogger()));
  const auto storage = OpenStorage();
  ASSERT_NE(storage, nullptr);
  ASSERT_OK(
      EnsureAdminToken(options_, storage->tokens(), SystemRandom(), SystemClock(), NullLogger()));
  ASSERT_OK_AND_ASSIGN(const Secret admin, ReadSmallFile(options_.AdminTokenFile()));
  admin_ = admin.Reveal().substr(0, admin.size() - 1);
  tokens_ = {{Role::kAdmin, admin_},
             {Role::kOperator, "operator-" + admin_},
             {Role::kViewer, "viewer-" + admin_}};
  for (const Role role : {Role::kOperator, Role::kViewer}) {
    ASSERT_OK(storage->tokens().Create("token " + std::to_string(static_cast<int>(role)), role,
                                       Secret(tokens_[role]), Actor{}, SystemClock().Now()));
  }
}

void ServerFixture::Start(absl::Duration heartbeat) {
  if (admin_.empty()) MakeTokens();
  ASSERT_OK_AND_ASSIGN(app_, App::Start(options_, NullLogger(), heartbeat));
  channel_ = grpc::CreateChannel(app_->addresses().front(), grpc::InsecureChannelCredentials());
  connections_ = v1::ConnectionService::NewStub(channel_);
  logs_ = v1::SyncLogService::NewStub(channel_);
  retries_ = v1::RetryQueueService::NewStub(channel_);
  orders_ = v1::OrderService::NewStub(channel_);
  jobs_ = v1::JobService::NewStub(channel_);
  status_ = v1::AdminService::NewStub(channel_);
}

bool ServerFixture::Stop() {
  const bool clean = app_->Stop([] { return false; });
  app_.reset();
  return clean;
}

void ServerFixture::Prepare(grpc::ClientContext& context, const std::string& token) {
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  context.set_deadline(absl::ToChronoTime(SystemClock().Now() + kPatience));
}

v1::ConnectionRef ServerFixture::Ref(std::int64_t id) {
  v1::ConnectionRef ref;
  ref.set_id(id);
  return ref;
}

v1::Connection ServerFixture::ShopSettings(const std::string& name) const {
  v1::Connection connection;
  connection.set_name(name);
  connection.mutable_odoo()->set_url(odoo_->Url(""));
  connection.mutable_odoo()->set_database("shop1");
  connection.mutable_odoo()->set_username("admin");
  connection.mutable_odoo()->set_api_key("admin-key");
  connection.mutable_webhook()->set_url(hook_->Url("/hook"));
  connection.mutable_webhook()->set_secret("shop-secret");
  connection.mutable_interval()->set_seconds(3600);  // polls when it is told to
  return connection;
}

v1::Connection ServerFixture::AddShop(const std::string& name) {
  v1::CreateConnectionRequest request;
  *request.mutable_connection() = ShopSettings(name);
  const auto created = Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request);
  EXPECT_TRUE(created.ok()) << created.status.error_message();
  EXPECT_EQ(Poll(created->connection().id()).error(), "");
  return created->connection();
}

v1::Connection ServerFixture::Shop(std::int64_t id) {
  v1::GetConnectionRequest request;
  *request.mutable_connection() = Ref(id);
  const auto got = Call(connections_, &v1::ConnectionService::Stub::GetConnection, request);
  EXPECT_TRUE(got.ok()) << got.status.error_message();
  return got->connection();
}

v1::PollConnectionResponse ServerFixture::Poll(std::int64_t connection) {
  v1::PollConnectionRequest request;
  *request.mutable_connection() = Ref(connection);
  const auto polled = Call(connections_, &v1::ConnectionService::Stub::PollConnection, request);
  EXPECT_TRUE(polled.ok()) << polled.status.error_message();
  return polled.body;
}

test::RecordId ServerFixture::ConfirmOrder(double price) {
  return db_.CreateConfirmedOrder(
      {.partner_id = partner_, .lines = {{.product_id = product_, .quantity = 2, .price = price}}});
}

EventReader ServerFixture::FromNow(const std::vector<v1::EventType>& types) {
  v1::StreamSyncEventsRequest request;
  request.set_after_sequence(NewestSequence());
  for (const v1::EventType type : types) request.add_types(type);
  return Events(request);
}

bool ServerFixture::Accepted(std::int64_t orders) {
  return receiver_.WaitFor([&](const auto& s) { return s.accepted_orders >= orders; }, kPatience);
}

void ServerFixture::Pause(std::int64_t connection, v1::PauseScope scope) {
  v1::PauseConnectionRequest request;
  *request.mutable_connection() = Ref(connection);
  request.set_scope(scope);
  ASSERT_TRUE(Call(connections_, &v1::ConnectionService::Stub::PauseConnection, request).ok());
}

std::int64_t ServerFixture::NewestSequence() {
  const auto status =
      Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest());
  EXPECT_TRUE(status.ok()) << status.status.error_message();
  return status->event_log().newest_sequence();
}

}  // namespace poller
