// Stores whose writes go through a CrashSwitch, before real ones. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/storage/connection_store.h"
#include "core/storage/ingest_store.h"
#include "core/storage/job_store.h"
#include "core/storage/outbox_store.h"
#include "core/storage/request_store.h"
#include "core/storage/sync_log_store.h"
#include "core/storage/token_store.h"
#include "tests/fault/crash_switch.h"

namespace poller::test {

// Which webhook ids were stored as accepted. Outlives crashes.
class Acceptances {
 public:
  void Claimed(const ClaimedDelivery& delivery) { ids_[delivery.id] = delivery.webhook_id; }
  void Accepted(DeliveryId id) { stored_.insert(ids_[id]); }
  bool Stored(const std::string& webhook_id) const { return stored_.contains(webhook_id); }

 private:
  std::map<DeliveryId, std::string> ids_;
  std::set<std::string> stored_;
};

class CrashingIngest final : public IngestStore {
 public:
  CrashingIngest(IngestStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::StatusOr<std::vector<OrderHead>> Heads(ConnectionId connection,
                                               const std::vector<OrderId>& orders) override;
  absl::StatusOr<std::vector<OrderHead>> OpenOrders(ConnectionId connection,
                                                    const std::string& written_since, OrderId after,
                                                    int limit) override;
  absl::StatusOr<IngestResult> Commit(const IngestBatch& batch, absl::Time now) override;

 private:
  IngestStore& real_;
  CrashSwitch& crash_;
};

class CrashingOutbox final : public OutboxStore {
 public:
  CrashingOutbox(OutboxStore& real, CrashSwitch& crash, Acceptances& accepted)
      : real_(real), crash_(crash), accepted_(accepted) {}
  absl::StatusOr<std::vector<ClaimedDelivery>> Claim(ConnectionId connection, const Instant& now,
                                                     int limit, bool forced_only) override;
  absl::StatusOr<Resolution> Resolve(const DeliveryOutcome& outcome, const Instant& now) override;
  absl::StatusOr<absl::Duration> NextDue(ConnectionId connection, const Instant& now) override;
  absl::StatusOr<std::vector<DeliveryDetails>> ListRetries(const DeliveryFilter& filter,
                                                           DeliveryId before, int limit) override;
  absl::StatusOr<DeliveryDetails> Get(DeliveryId id) override;
  absl::StatusOr<Delivery> Retry(DeliveryId id, const Actor& actor, const Instant& now) override;
  absl::StatusOr<Delivery> Discard(DeliveryId id, const std::string& why, const Actor& actor,
                                   absl::Time now) override;

 private:
  OutboxStore& real_;
  CrashSwitch& crash_;
  Acceptances& accepted_;
};

class CrashingJobs final : public JobStore {
 public:
  CrashingJobs(JobStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::StatusOr<Job> Create(const JobSpec& spec, const Actor& actor, absl::Time now) override;
  absl::StatusOr<Job> Get(JobId id) override;
  absl::StatusOr<std::vector<Job>> List(const JobFilter& filter, JobId before, int limit) override;
  absl::StatusOr<std::vector<Job>> Unfinished() override;
  absl::StatusOr<Job> Begin(JobId id, absl::Time now) override;
  absl::Status Advance(JobId id, const JobProgress& progress, absl::Time now) override;
  absl::Status Finish(JobId id, const JobProgress& progress, const std::string& error,
                      absl::Time now) override;
  absl::StatusOr<Job> Cancel(JobId id, const Actor& actor, absl::Time now) override;
  absl::StatusOr<int> Prune(absl::Time before, int limit) override;

 private:
  JobStore& real_;
  CrashSwitch& crash_;
};

// A poll that found nothing and did not fail is noted without being counted as a write: there are
// very many, and nothing depends on them.
class CrashingConnections final : public ConnectionStore {
 public:
  CrashingConnections(ConnectionStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::StatusOr<Connection> Create(const ConnectionSettings& settings, const Actor& actor,
                                    absl::Time now) override;
  absl::StatusOr<ConnectionWithState> Get(ConnectionId id) override;
  absl::StatusOr<ConnectionWithState> GetByName(const std::string& name) override;
  absl::StatusOr<std::vector<ConnectionWithState>> List(ConnectionId after, int limit) override;
  absl::StatusOr<std::vector<ConnectionWithState>> ListIn(ConnectionOrder order,
                                                          const ConnectionPlace& after,
                                                          int limit) override;
  absl::StatusOr<Connection> Update(const ConnectionUpdate& update, const Actor& actor,
                                    absl::Time now) override;
  absl::StatusOr<Connection> SetPaused(ConnectionId id, std::optional<bool> polling,
                                       std::optional<bool> delivery, const Actor& actor,
                                       absl::Time now) override;
  absl::StatusOr<Rotated> RotateSecret(const SecretChange& change, const Actor& actor,
                                       absl::Time now) override;
  absl::Status ResetCircuits(ConnectionId id, const Actor& actor, absl::Time now) override;
  absl::StatusOr<int> EndRotations(absl::Time now, int limit) override;
  absl::Status Delete(ConnectionId id, bool force, const Actor& actor, absl::Time now) override;
  absl::Status RecordPoll(ConnectionId id, const LastPoll& poll, absl::Time now) override;
  absl::Status SaveBreaker(ConnectionId id, Leg leg, const BreakerRecord& record,
                           absl::Time now) override;
  absl::Status SaveOdooSession(ConnectionId id, std::int64_t odoo_uid,
                               const std::string& odoo_version, OdooProtocol in_use) override;
  absl::Status SaveKeyExpiry(ConnectionId id, std::optional<absl::Time> expires_at,
                             absl::Time now) override;
  absl::Status Suspend(ConnectionId id, const Suspension& suspension) override;
  absl::Status EndSuspension(ConnectionId id, const Actor& actor, absl::Time now) override;
  absl::Status SetReceiverGone(ConnectionId id, std::optional<absl::Time> since) override;

 private:
  ConnectionStore& real_;
  CrashSwitch& crash_;
};

class CrashingTokens final : public TokenStore {
 public:
  CrashingTokens(TokenStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::StatusOr<CreatedToken> Create(const std::string& name, Role role, const Secret& token,
                                      const Actor& actor, absl::Time now) override;
  absl::StatusOr<Token> Find(const Secret& token) override;
  absl::StatusOr<std::vector<Token>> List(TokenId after, int limit) override;
  absl::StatusOr<bool> HasAdmin() override;
  absl::StatusOr<Token> Revoke(TokenId id, const Actor& actor, absl::Time now) override;
  absl::Status RecordUse(TokenId id, absl::Time now) override;

 private:
  TokenStore& real_;
  CrashSwitch& crash_;
};

class CrashingRequests final : public RequestStore {
 public:
  CrashingRequests(RequestStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::StatusOr<std::optional<std::string>> Find(const std::string& kind, const Actor& actor,
                                                  absl::Time now) override;
  absl::Status Keep(const std::string& kind, const Actor& actor, const std::string& answer,
                    absl::Time now) override;
  absl::StatusOr<int> Prune(absl::Time now, int limit) override;

 private:
  RequestStore& real_;
  CrashSwitch& crash_;
};

class CrashingSyncLogs final : public SyncLogStore {
 public:
  CrashingSyncLogs(SyncLogStore& real, CrashSwitch& crash) : real_(real), crash_(crash) {}
  absl::Status Append(const SyncLog& log) override;
  absl::StatusOr<std::vector<SyncLog>> List(std::optional<ConnectionId> connection,
                                            SyncLogId before, int limit) override;
  absl::StatusOr<int> Prune(absl::Time before, int keep, int limit) override;

 private:
  SyncLogStore& real_;
  CrashSwitch& crash_;
};

}  // namespace poller::test
