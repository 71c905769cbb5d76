#include "tests/integration/isolation/neighbours.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/crypto/hash.h"
#include "tests/support/status_matchers.h"

namespace poller::test {
namespace {

// 32 zero bytes but the last, in the form of a Fernet key.
constexpr char kMasterKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr char kSecret[] = "webhook-secret";

// In memory where there is such a place: what is tested here is not the disk.
std::string NewFolder() {
  const std::filesystem::path memory = "/dev/shm";
  const bool fast = std::filesystem::is_directory(memory);
  std::string pattern =
      ((fast ? memory : std::filesystem::temp_directory_path()) / "isolation.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

std::unique_ptr<CurlHttpClient> MakeClient(Metrics& metrics) {
  CurlOptions options;
  options.egress.allow = {Cidr::Parse("127.0.0.0/8").value()};
  options.response_budget = Neighbours::kAnswerBudget;
  return CurlHttpClient::Create(std::move(options), metrics).value();
}

}  // namespace

Shop::Shop()
    : db_(sim_.AddDatabase("shop1")),
      partner_(db_.AddPartner({.name = "Acme", .street = "1 Main St", .city = "Springfield"})),
      product_(db_.AddProduct({.name = "Widget", .default_code = "WID", .price = 50})) {
  receiver_.AddSecret("", kSecret);
  odoo_server_ = sim_.Serve();
  receiver_server_ = receiver_.Serve();
}

void Shop::Confirm() {
  db_.CreateConfirmedOrder(
      {.partner_id = partner_, .lines = {{.product_id = product_, .quantity = 2, .tax = 19}}}, {});
}

std::int64_t Shop::Polls() const {
  std::int64_t polls = 0;
  for (const OdooCall& call : sim_.Calls()) {
    polls += call.model == "sale.order" && call.method == "search_read" ? 1 : 0;
  }
  return polls;
}

Neighbours::Neighbours() : folder_(NewFolder()) {
  CryptoInit();
  sleeper_ = MakeSystemSleeper(pool_.get_executor());
  SqliteOptions sqlite;
  sqlite.path = std::filesystem::path(folder_) / "poller.db";
  sqlite.master_keys = Secret(kMasterKey);
  storage_ = SqliteStorage::Open(sqlite, clock_, random_, metrics_).value();
  odoo_http_ = MakeClient(metrics_);
  webhook_http_ = MakeClient(metrics_);
  tasks_ = std::make_unique<TaskGroup>(pool_.get_executor());

  DispatcherOptions delivery;
  delivery.backoff.base = delivery.backoff.max = absl::Milliseconds(100);
  delivery.breaker.failures = 1 << 30;
  dispatcher_ = std::make_unique<Dispatcher>(
      Dispatcher::Deps{storage_->connections(), storage_->outbox(), *webhook_http_, clock_,
                       *sleeper_, random_, *tasks_, storage_pool_.get_executor(), NullLogger(),
                       metrics_},
      delivery);
  PollingOptions polling;
  polling.breaker.failures = 1 << 30;
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Deps{storage_->connections(), storage_->ingest(), storage_->sync_logs(),
                      storage_->jobs(), *odoo_http_, clock_, *sleeper_, random_, *tasks_,
                      storage_pool_.get_executor(), NullLogger(), metrics_,
                      [this](ConnectionId id) { dispatcher_->Hint(id); }},
      polling);
}

Neighbours::~Neighbours() {
  scheduler_->Stop();
  dispatcher_->Stop();
  odoo_http_->Shutdown();
  webhook_http_->Shutdown();
  EXPECT_TRUE(tasks_->WaitFor(absl::Seconds(30)));
  scheduler_.reset();
  dispatcher_.reset();
  tasks_.reset();
  storage_.reset();
  std::filesystem::remove_all(folder_);
}

ConnectionSettings Neighbours::Settings(const std::string& name, const std::string& odoo_url,
                                        const std::string& webhook_url) {
  ConnectionSettings settings;
  settings.name = name;
  settings.odoo.url = odoo_url;
  settings.odoo.database = "shop1";
  settings.odoo.username = "admin";
  settings.odoo.api_key = Secret("admin-key");
  settings.webhook.url = webhook_url;
  settings.webhook.secret = Secret(kSecret);
  settings.interval = absl::Milliseconds(100);
  settings.line_interval = absl::Hours(24);
  return settings;
}

void Neighbours::Add(const ConnectionSettings& settings) {
  const auto made = storage_->connections().Create(settings, Actor(), clock_.Now());
  ASSERT_TRUE(made.ok()) << Describe(made.status());
  dispatcher_->Add(made->id);
  scheduler_->Add(made->id, /*spread=*/false);
}

std::int64_t Neighbours::AnswerBytes() {
  return static_cast<std::int64_t>(metrics_.GetGauge("poller_http_answer_bytes", "").Value());
}

}  // namespace poller::test
