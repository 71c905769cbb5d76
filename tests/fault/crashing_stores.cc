#include "tests/fault/crashing_stores.h"

namespace poller::test {

// ---------------------------------------------------------------- ingest

absl::StatusOr<std::vector<OrderHead>> CrashingIngest::Heads(ConnectionId connection,
                                                             const std::vector<OrderId>& orders) {
  return Read(crash_, [&] { return real_.Heads(connection, orders); });
}

absl::StatusOr<std::vector<OrderHead>> CrashingIngest::OpenOrders(ConnectionId connection,
                                                                  const std::string& written_since,
                                                                  OrderId after, int limit) {
  return Read(crash_, [&] { return real_.OpenOrders(connection, written_since, after, limit); });
}

absl::StatusOr<IngestResult> CrashingIngest::Commit(const IngestBatch& batch, absl::Time now) {
  return Write(crash_, [&] { return real_.Commit(batch, now); });
}

// ---------------------------------------------------------------- outbox

absl::StatusOr<std::vector<ClaimedDelivery>> CrashingOutbox::Claim(ConnectionId connection,
                                                                   const Instant& now, int limit,
                                                                   bool forced_only) {
  auto claimed = Write(crash_, [&] { return real_.Claim(connection, now, limit, forced_only); });
  if (claimed.ok()) {
    for (const ClaimedDelivery& delivery : *claimed) accepted_.Claimed(delivery);
  }
  return claimed;
}

absl::StatusOr<Resolution> CrashingOutbox::Resolve(const DeliveryOutcome& outcome,
                                                   const Instant& now) {
  // Noted inside, so that an acceptance that was stored right before the crash counts.
  return Write(crash_, [&] {
    auto resolution = real_.Resolve(outcome, now);
    if (resolution.ok() && outcome.kind == DeliveryOutcome::Kind::kAccepted)
      accepted_.Accepted(outcome.id);
    return resolution;
  });
}

absl::StatusOr<absl::Duration> CrashingOutbox::NextDue(ConnectionId connection,
                                                       const Instant& now) {
  return Read(crash_, [&] { return real_.NextDue(connection, now); });
}

absl::StatusOr<std::vector<DeliveryDetails>> CrashingOutbox::ListRetries(
    const DeliveryFilter& filter, DeliveryId before, int limit) {
  return Read(crash_, [&] { return real_.ListRetries(filter, before, limit); });
}

absl::StatusOr<DeliveryDetails> CrashingOutbox::Get(DeliveryId id) {
  return Read(crash_, [&] { return real_.Get(id); });
}

absl::StatusOr<Delivery> CrashingOutbox::Retry(DeliveryId id, const Actor& actor,
                                               const Instant& now) {
  return Write(crash_, [&] { return real_.Retry(id, actor, now); });
}

absl::StatusOr<Delivery> CrashingOutbox::Discard(DeliveryId id, const std::string& why,
                                                 const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Discard(id, why, actor, now); });
}

// ---------------------------------------------------------------- jobs

absl::StatusOr<Job> CrashingJobs::Create(const JobSpec& spec, const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Create(spec, actor, now); });
}

absl::StatusOr<Job> CrashingJobs::Get(JobId id) {
  return Read(crash_, [&] { return real_.Get(id); });
}

absl::StatusOr<std::vector<Job>> CrashingJobs::List(const JobFilter& filter, JobId before,
                                                    int limit) {
  return Read(crash_, [&] { return real_.List(filter, before, limit); });
}

absl::StatusOr<std::vector<Job>> CrashingJobs::Unfinished() {
  return Read(crash_, [&] { return real_.Unfinished(); });
}

absl::StatusOr<Job> CrashingJobs::Begin(JobId id, absl::Time now) {
  return Write(crash_, [&] { return real_.Begin(id, now); });
}

absl::Status CrashingJobs::Advance(JobId id, const JobProgress& progress, absl::Time now) {
  return Write(crash_, [&] { return real_.Advance(id, progress, now); });
}

absl::Status CrashingJobs::Finish(JobId id, const JobProgress& progress, const std::string& error,
                                  absl::Time now) {
  return Write(crash_, [&] { return real_.Finish(id, progress, error, now); });
}

absl::StatusOr<Job> CrashingJobs::Cancel(JobId id, const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Cancel(id, actor, now); });
}

absl::StatusOr<int> CrashingJobs::Prune(absl::Time before, int limit) {
  return Write(crash_, [&] { return real_.Prune(before, limit); });
}

// ---------------------------------------------------------------- connections

absl::StatusOr<Connection> CrashingConnections::Create(const ConnectionSettings& settings,
                                                       const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Create(settings, actor, now); });
}

absl::StatusOr<ConnectionWithState> CrashingConnections::Get(ConnectionId id) {
  return Read(crash_, [&] { return real_.Get(id); });
}

absl::StatusOr<ConnectionWithState> CrashingConnections::GetByName(const std::string& name) {
  return Read(crash_, [&] { return real_.GetByName(name); });
}

absl::StatusOr<std::vector<ConnectionWithState>> CrashingConnections::List(ConnectionId after,
                                                                           int limit) {
  return Read(crash_, [&] { return real_.List(after, limit); });
}

absl::StatusOr<std::vector<ConnectionWithState>> CrashingConnections::ListIn(
    ConnectionOrder order, const ConnectionPlace& after, int limit) {
  return Read(crash_, [&] { return real_.ListIn(order, after, limit); });
}

absl::StatusOr<Connection> CrashingConnections::Update(const ConnectionUpdate& update,
                                                       const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Update(update, actor, now); });
}

absl::StatusOr<Connection> CrashingConnections::SetPaused(ConnectionId id,
                                                          std::optional<bool> polling,
                                                          std::optional<bool> delivery,
                                                          const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.SetPaused(id, polling, delivery, actor, now); });
}

absl::StatusOr<ConnectionStore::Rotated> CrashingConnections::RotateSecret(
    const SecretChange& change, const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.RotateSecret(change, actor, now); });
}

absl::Status CrashingConnections::ResetCircuits(ConnectionId id, const Actor& actor,
                                                absl::Time now) {
  return Write(crash_, [&] { return real_.ResetCircuits(id, actor, now); });
}

absl::StatusOr<int> CrashingConnections::EndRotations(absl::Time now, int limit) {
  return Write(crash_, [&] { return real_.EndRotations(now, limit); });
}

absl::Status CrashingConnections::Delete(ConnectionId id, bool force, const Actor& actor,
                                         absl::Time now) {
  return Write(crash_, [&] { return real_.Delete(id, force, actor, now); });
}

absl::Status CrashingConnections::RecordPoll(ConnectionId id, const LastPoll& poll,
                                             absl::Time now) {
  const bool quiet = poll.found == 0 && poll.error.empty();
  auto record = [&] { return real_.RecordPoll(id, poll, now); };
  return quiet ? Read(crash_, record) : Write(crash_, record);
}

absl::Status CrashingConnections::SaveBreaker(ConnectionId id, Leg leg, const BreakerRecord& record,
                                              absl::Time now) {
  return Write(crash_, [&] { return real_.SaveBreaker(id, leg, record, now); });
}

absl::Status CrashingConnections::SaveOdooSession(ConnectionId id, std::int64_t odoo_uid,
                                                  const std::string& odoo_version,
                                                  OdooProtocol in_use) {
  return Write(crash_, [&] { return real_.SaveOdooSession(id, odoo_uid, odoo_version, in_use); });
}

absl::Status CrashingConnections::SaveKeyExpiry(ConnectionId id,
                                                std::optional<absl::Time> expires_at,
                                                absl::Time now) {
  return Write(crash_, [&] { return real_.SaveKeyExpiry(id, expires_at, now); });
}

absl::Status CrashingConnections::Suspend(ConnectionId id, const Suspension& suspension) {
  return Write(crash_, [&] { return real_.Suspend(id, suspension); });
}

absl::Status CrashingConnections::EndSuspension(ConnectionId id, const Actor& actor,
                                                absl::Time now) {
  return Write(crash_, [&] { return real_.EndSuspension(id, actor, now); });
}

absl::Status CrashingConnections::SetReceiverGone(ConnectionId id,
                                                  std::optional<absl::Time> since) {
  return Write(crash_, [&] { return real_.SetReceiverGone(id, since); });
}

// ---------------------------------------------------------------- tokens

absl::StatusOr<CreatedToken> CrashingTokens::Create(const std::string& name, Role role,
                                                    const Secret& token, const Actor& actor,
                                                    absl::Time now) {
  return Write(crash_, [&] { return real_.Create(name, role, token, actor, now); });
}

absl::StatusOr<Token> CrashingTokens::Find(const Secret& token) {
  return Read(crash_, [&] { return real_.Find(token); });
}

absl::StatusOr<std::vector<Token>> CrashingTokens::List(TokenId after, int limit) {
  return Read(crash_, [&] { return real_.List(after, limit); });
}

absl::StatusOr<bool> CrashingTokens::HasAdmin() {
  return Read(crash_, [&] { return real_.HasAdmin(); });
}

absl::StatusOr<Token> CrashingTokens::Revoke(TokenId id, const Actor& actor, absl::Time now) {
  return Write(crash_, [&] { return real_.Revoke(id, actor, now); });
}

absl::Status CrashingTokens::RecordUse(TokenId id, absl::Time now) {
  return Write(crash_, [&] { return real_.RecordUse(id, now); });
}

// ---------------------------------------------------------------- requests

absl::StatusOr<std::optional<std::string>> CrashingRequests::Find(const std::string& kind,
                                                                  const Actor& actor,
                                                                  absl::Time now) {
  return Read(crash_, [&] { return real_.Find(kind, actor, now); });
}

absl::Status CrashingRequests::Keep(const std::string& kind, const Actor& actor,
                                    const std::string& answer, absl::Time now) {
  return Write(crash_, [&] { return real_.Keep(kind, actor, answer, now); });
}

absl::StatusOr<int> CrashingRequests::Prune(absl::Time now, int limit) {
  return Write(crash_, [&] { return real_.Prune(now, limit); });
}

// ---------------------------------------------------------------- sync logs

absl::Status CrashingSyncLogs::Append(const SyncLog& log) {
  return Write(crash_, [&] { return real_.Append(log); });
}

absl::StatusOr<std::vector<SyncLog>> CrashingSyncLogs::List(std::optional<ConnectionId> connection,
                                                            SyncLogId before, int limit) {
  return Read(crash_, [&] { return real_.List(connection, before, limit); });
}

absl::StatusOr<int> CrashingSyncLogs::Prune(absl::Time before, int keep, int limit) {
  return Write(crash_, [&] { return real_.Prune(before, keep, limit); });
}

}  // namespace poller::test
