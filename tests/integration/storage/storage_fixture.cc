#include "tests/integration/storage/storage_fixture.h"

#include <stdlib.h>

#include <utility>

#include "core/base/text.h"

namespace poller {

ConnectionSettings ShopSettings(const std::string& name) {
  ConnectionSettings settings;
  settings.name = name;
  settings.odoo.url = "https://" + name + ".example";
  settings.odoo.database = name;
  settings.odoo.username = "bot";
  settings.odoo.api_key = Secret("odoo-key-of-" + name);
  settings.webhook.url = "https://receiver.example/hook";
  settings.webhook.secret = Secret("webhook-secret-of-" + name);
  return settings;
}

std::string Word(const SyncEvent& event) {
  std::string word(EventTypeName(event.type));
  if (event.order) {
    word += " " + event.order_name + "/" + std::to_string(event.detail.revision);
  }
  return word;
}

StorageFixture::StorageFixture() {
  std::string pattern = (std::filesystem::temp_directory_path() / "storage-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
}

StorageFixture::~StorageFixture() {
  storage_.reset();
  std::filesystem::remove_all(folder_);
}

absl::Status StorageFixture::TryOpen(const SqliteOptions& options) {
  auto opened = SqliteStorage::Open(options, clock_, SystemRandom(), metrics_);
  if (!opened.ok()) return opened.status();
  storage_ = *std::move(opened);
  return absl::OkStatus();
}

void StorageFixture::Open() {
  SqliteOptions options;
  options.path = Path();
  options.master_keys = Secret(kMasterKey);
  ASSERT_OK(TryOpen(options));
}

void StorageFixture::Reopen() {
  storage_.reset();
  Open();
}

Connection StorageFixture::AddConnection(const ConnectionSettings& settings) {
  const auto created = storage_->connections().Create(settings, kActor, clock_.Now());
  EXPECT_OK(created.status());
  connection_ = created.value_or(Connection());
  return connection_;
}

Connection StorageFixture::AddConnection(const std::string& name) {
  return AddConnection(ShopSettings(name));
}

IngestBatch StorageFixture::Batch() const {
  IngestBatch batch;
  batch.connection = connection_.id;
  batch.observed_at = clock_.Now();
  batch.overlap = absl::Minutes(5);
  return batch;
}

static std::string WriteDate(int second) {
  return FormatOdooTime(
      absl::FromCivil(absl::CivilSecond(2026, 1, 15, 10, 0, second), absl::UTCTimeZone()));
}

Observation StorageFixture::Seen(int order, const std::string& content, int second) {
  Observation seen;
  seen.order = OrderId(order);
  seen.name = "S" + std::to_string(order);
  seen.write_date = WriteDate(second);
  seen.content = "content " + content;
  seen.content_hash = "1:" + content;
  return seen;
}

UnmappableOrder StorageFixture::Broken(int order, const std::string& reason, int second) {
  UnmappableOrder broken;
  broken.order = OrderId(order);
  broken.name = "S" + std::to_string(order);
  broken.write_date = WriteDate(second);
  broken.reason = reason;
  broken.raw_record = "raw record of " + std::to_string(order);
  return broken;
}

CancelledOrder StorageFixture::Cancelled(int order, int second) {
  CancelledOrder cancelled;
  cancelled.order = OrderId(order);
  cancelled.write_date = WriteDate(second);
  return cancelled;
}

IngestResult StorageFixture::Commit(const IngestBatch& batch) {
  const auto result = storage_->ingest().Commit(batch, clock_.Now());
  EXPECT_OK(result.status());
  return result.value_or(IngestResult());
}

IngestResult StorageFixture::Observe(const Observation& order) {
  IngestBatch batch = Batch();
  batch.orders.push_back(order);
  return Commit(batch);
}
IngestResult StorageFixture::Observe(const CancelledOrder& order) {
  IngestBatch batch = Batch();
  batch.cancelled.push_back(order);
  return Commit(batch);
}
IngestResult StorageFixture::Observe(const UnmappableOrder& order) {
  IngestBatch batch = Batch();
  batch.unmappable.push_back(order);
  return Commit(batch);
}

std::optional<OrderHead> StorageFixture::Head(int order) {
  const auto heads = storage_->ingest().Heads(connection_.id, {OrderId(order)});
  EXPECT_OK(heads.status());
  if (!heads.ok() || heads->empty()) return std::nullopt;
  return heads->front();
}

std::vector<ClaimedDelivery> StorageFixture::Claim(int limit, bool forced_only) {
  auto claims = storage_->outbox().Claim(connection_.id, clock_.Read(), limit, forced_only);
  EXPECT_OK(claims.status());
  if (!claims.ok()) return {};
  return *std::move(claims);
}

ClaimedDelivery StorageFixture::ClaimOne() {
  std::vector<ClaimedDelivery> claims = Claim();
  EXPECT_EQ(claims.size(), 1u);
  return claims.empty() ? ClaimedDelivery() : std::move(claims.front());
}

Resolution StorageFixture::Accept(const ClaimedDelivery& claim) {
  DeliveryOutcome outcome;
  outcome.id = claim.id;
  outcome.kind = DeliveryOutcome::Kind::kAccepted;
  outcome.attempt.at = clock_.Now();
  outcome.attempt.http_status = 200;
  const auto resolution = storage_->outbox().Resolve(outcome, clock_.Read());
  EXPECT_OK(resolution.status());
  return resolution.value_or(Resolution());
}

Resolution StorageFixture::Fail(const ClaimedDelivery& claim, const Failure& failure) {
  DeliveryOutcome outcome;
  outcome.id = claim.id;
  outcome.kind = DeliveryOutcome::Kind::kFailed;
  outcome.attempt.at = clock_.Now();
  outcome.attempt.http_status = failure.http_status;
  outcome.attempt.failure = failure.failure;
  outcome.attempt.error = "it said no";
  outcome.may_blame_order = failure.may_blame;
  outcome.max_attempts = failure.max_attempts;
  outcome.retry_after = failure.retry_after;
  const auto resolution = storage_->outbox().Resolve(outcome, clock_.Read());
  EXPECT_OK(resolution.status());
  return resolution.value_or(Resolution());
}

Resolution StorageFixture::Release(const ClaimedDelivery& claim) {
  DeliveryOutcome outcome;
  outcome.id = claim.id;
  outcome.kind = DeliveryOutcome::Kind::kReleased;
  const auto resolution = storage_->outbox().Resolve(outcome, clock_.Read());
  EXPECT_OK(resolution.status());
  return resolution.value_or(Resolution());
}

DeliveryDetails StorageFixture::Details(DeliveryId id) {
  auto details = storage_->outbox().Get(id);
  EXPECT_OK(details.status());
  if (!details.ok()) return {};
  return *std::move(details);
}

absl::Duration StorageFixture::NextDue() {
  const auto due = storage_->outbox().NextDue(connection_.id, clock_.Read());
  EXPECT_OK(due.status());
  return due.value_or(-absl::InfiniteDuration());
}

ConnectionState StorageFixture::State() {
  const auto found = storage_->connections().Get(connection_.id);
  EXPECT_OK(found.status());
  return found.ok() ? found->state : ConnectionState();
}

void StorageFixture::AcceptAnother() {
  const int order = ++others_;
  Observe(Seen(order, "other"));
  bool accepted = false;
  for (const ClaimedDelivery& claim : Claim()) {
    if (claim.order == OrderId(order)) {
      Accept(claim);
      accepted = true;
    } else {
      Release(claim);
    }
  }
  EXPECT_TRUE(accepted);
}

std::vector<std::string> StorageFixture::NewEvents() {
  std::vector<std::string> words;
  const auto events = storage_->events().Read(read_, 10000);
  EXPECT_OK(events.status());
  if (!events.ok()) return words;
  for (const SyncEvent& event : *events) {
    read_ = event.sequence;
    words.push_back(Word(event));
  }
  return words;
}

}  // namespace poller
