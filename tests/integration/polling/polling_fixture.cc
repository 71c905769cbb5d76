#include "tests/integration/polling/polling_fixture.h"

#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/crypto/key_ring.h"
#include "core/orders/payload.h"

namespace poller::test {
namespace {

// 32 zero bytes but the last, in the form of a Fernet key.
constexpr char kMasterKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr char kUrl[] = "https://shop.example";

// In memory where there is such a place: what is tested here is not the disk.
std::filesystem::path NewFolder() {
  const std::filesystem::path memory = "/dev/shm";
  const bool fast = std::filesystem::is_directory(memory);
  std::string pattern =
      ((fast ? memory : std::filesystem::temp_directory_path()) / "polling.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

}  // namespace

absl::StatusOr<IngestResult> CuttableIngest::Commit(const IngestBatch& batch, absl::Time now) {
  ++commits;
  if (fail_from != 0 && commits >= fail_from) return absl::UnavailableError("the machine is off");
  auto result = store_().Commit(batch, now);
  if (after_commit) after_commit(batch);
  return result;
}

PollingFixture::PollingFixture() : folder_(NewFolder()) {
  OdooSim::Options sim;
  sim.web_clock = [this] { return clock_.Now() + web_offset_; };
  sim.database_clock = [this] { return clock_.Now() + database_offset_; };
  sim_ = std::make_unique<OdooSim>(std::move(sim));
  shop_ = &sim_->AddDatabase("shop1");
  partner_ = shop_->AddPartner({.name = "Acme", .street = "1 Main St", .city = "Springfield"});
  product_ = shop_->AddProduct({.name = "Widget", .default_code = "WID", .price = 50});
  http_ = std::make_unique<SimHttp>(
      [this](const TestRequest& request) {
        TestReply reply = sim_->Handle(request);
        if (!odoo_sends_date_) {
          reply.send_date = false;
          reply.headers.Remove("Date");
        }
        return reply;
      },
      [this] { return clock_.Now() + web_offset_; });
  OpenStorage();
  ingest_ =
      std::make_unique<CuttableIngest>([this]() -> IngestStore& { return storage_->ingest(); });
  StartScheduler();
}

PollingFixture::~PollingFixture() {
  StopScheduler();
  storage_.reset();
  std::filesystem::remove_all(folder_);
}

void PollingFixture::OpenStorage() {
  SqliteOptions options;
  options.path = folder_ / "poller.db";
  options.master_keys = Secret(kMasterKey);
  auto storage = SqliteStorage::Open(options, clock_, random_, metrics_);
  if (!storage.ok()) {
    ADD_FAILURE() << Describe(storage.status());
    std::abort();
  }
  storage_ = std::move(*storage);
}

void PollingFixture::StartScheduler() {
  tasks_ = std::make_unique<TaskGroup>(io_.get_executor());
  Scheduler::Deps deps{.connections = storage_->connections(),
                       .ingest = *ingest_,
                       .sync_logs = storage_->sync_logs(),
                       .jobs = storage_->jobs(),
                       .http = *http_,
                       .clock = clock_,
                       .sleeper = sleeper_,
                       .random = random_,
                       .tasks = *tasks_,
                       .storage_pool = io_.get_executor(),
                       .log = NullLogger(),
                       .metrics = metrics_,
                       .committed = [this](ConnectionId) { ++hints_; },
                       .full = [this] { return full_; }};
  scheduler_ = std::make_unique<Scheduler>(std::move(deps), options_);
}

void PollingFixture::StopScheduler() {
  if (scheduler_ == nullptr) return;
  scheduler_->Stop();
  RunUntilIdle(io_);
  EXPECT_EQ(tasks_->Running(), 0) << "a coroutine outlives Stop";
  scheduler_.reset();
  tasks_.reset();
}

void PollingFixture::Restart() {
  StopScheduler();
  storage_.reset();
  ingest_->fail_from = 0;
  ingest_->commits = 0;
  if (between_runs_) between_runs_(folder_ / "poller.db");
  OpenStorage();
  StartScheduler();
  scheduler_->Add(connection_.id, /*spread=*/false);
  RunUntilIdle(io_);
}

RecordId PollingFixture::Confirm(Tx tx) {
  return shop_->CreateConfirmedOrder(
      {.partner_id = partner_, .lines = {{.product_id = product_, .quantity = 2, .tax = 19}}}, tx);
}

std::vector<RecordId> PollingFixture::ConfirmMany(int count) {
  const Tx tx = shop_->Begin();
  std::vector<RecordId> orders;
  for (int i = 0; i < count; ++i) orders.push_back(Confirm(tx));
  shop_->Commit(tx);
  return orders;
}

RecordId PollingFixture::LineOf(RecordId order) {
  return shop_->FindOrder(order)->lines.front().id;
}

ConnectionSettings PollingFixture::Settings(const std::string& name) const {
  ConnectionSettings settings;
  settings.name = name;
  settings.odoo.url = kUrl;
  settings.odoo.database = "shop1";
  settings.odoo.username = "admin";
  settings.odoo.api_key = Secret("admin-key");
  settings.webhook.url = "https://receiver.example/hook";
  settings.webhook.secret = Secret("secret");
  // The line query is another safety net: off, unless a test is about it.
  settings.line_interval = absl::Hours(24);
  return settings;
}

void PollingFixture::Begin(const ConnectionSettings& settings) {
  auto made = storage_->connections().Create(settings, Actor(), clock_.Now());
  ASSERT_TRUE(made.ok()) << Describe(made.status());
  connection_ = *made;
  scheduler_->Add(connection_.id, /*spread=*/false);
  RunUntilIdle(io_);
}

absl::StatusOr<PassResult> PollingFixture::PollNow() {
  return Await(scheduler_->PollNow(connection_.id));
}

void PollingFixture::Edit(const std::function<void(ConnectionSettings&)>& change,
                          bool end_suspension) {
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  change(update.settings);
  update.end_suspension = end_suspension;
  auto updated = storage_->connections().Update(update, Actor(), clock_.Now());
  ASSERT_TRUE(updated.ok()) << Describe(updated.status());
  connection_ = *updated;
  scheduler_->Refresh(connection_.id);
  RunUntilIdle(io_);
}

void PollingFixture::ReadPlainly() {
  sim_->faults().Add({.kind = OdooFault::Kind::kError,
                      .method = "web_read",
                      .name = "builtins.AttributeError",
                      .message = "The method 'sale.order.web_read' does not exist"});
}

ConnectionState PollingFixture::State() {
  return storage_->connections().Get(connection_.id)->state;
}

std::string PollingFixture::Known(RecordId order) {
  const auto heads = storage_->ingest().Heads(connection_.id, {OrderId(order)});
  if (!heads.ok() || heads->empty()) return "";
  const OrderHead& head = heads->front();
  return std::to_string(head.revision) + " " + std::string(DeliveryStatusName(head.status));
}

std::string PollingFixture::Body(RecordId order) {
  const auto heads = storage_->ingest().Heads(connection_.id, {OrderId(order)});
  if (!heads.ok() || heads->empty()) return "";
  const auto details = storage_->outbox().Get(heads->front().delivery);
  if (!details.ok()) return Describe(details.status());
  if (details->unmappable) return details->content;
  const auto body = RenderBody(details->content, kEventConfirmed, "C1", heads->front().revision);
  return body.ok() ? *body : Describe(body.status());
}

int PollingFixture::KnownOrders() {
  const auto orders = storage_->orders().ListOrders(connection_.id, "", DeliveryId(), 100000);
  return orders.ok() ? static_cast<int>(orders->size()) : -1;
}

std::vector<SyncLog> PollingFixture::Logs() {
  return storage_->sync_logs().List(connection_.id, SyncLogId(), 100).value();
}

std::vector<std::string> PollingFixture::Events() {
  std::vector<std::string> words;
  const auto events = storage_->events().Read(seen_, 100000);
  for (const SyncEvent& event : *events) {
    words.emplace_back(EventTypeName(event.type));
    seen_ = event.sequence;
  }
  return words;
}

std::int64_t PollingFixture::OrdersRead() {
  // In one nested call; a plain read in full ends with one look at the write_dates of its orders.
  std::int64_t count = 0;
  for (const OdooCall& call : sim_->Calls()) {
    const bool full = call.method == "read" || call.method == "web_read";
    if (call.model == "sale.order" && full) count += call.records;
  }
  return count;
}

}  // namespace poller::test
