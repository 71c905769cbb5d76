#include "core/polling/odoo_facts.h"

#include <optional>
#include <string>
#include <utility>

#include "core/async/offload.h"
#include "core/base/text.h"
#include "core/odoo/version.h"
#include "core/polling/pass_verdict.h"

namespace poller {
namespace {

constexpr absl::Duration kInterval = absl::Hours(24);

// Thousands of connections that start together do not all ask in the same minute.
absl::Duration Spread(ConnectionId id) {
  constexpr std::int64_t kParts = 1009;
  return kInterval * static_cast<double>(id.value() % kParts) / static_cast<double>(kParts);
}

bool HidesIt(std::optional<odoo::ErrorKind> kind) {
  return kind == odoo::ErrorKind::kQuery || kind == odoo::ErrorKind::kGarbage;
}

}  // namespace

OdooFacts::~OdooFacts() { CountKey(false); }

bool OdooFacts::IsDue(const IngestSubject& subject, bool edited) {
  const ConnectionState& state = subject.connection.state;
  const absl::Duration now = context_.ingest.clock.Monotonic();
  const bool another = asked_.lock() != subject.client;
  if (another && due_ == absl::InfiniteDuration()) {
    // The first pass of this run: what is stored was true a moment ago.
    due_ = now + Spread(id_);
    CountKey(state.key_expires_at.has_value() &&
             context_.ingest.clock.Now() >= *state.key_expires_at - kKeyWarning);
  }
  return failed_ || (another && edited) || now >= due_ || state.odoo_version.empty() ||
         state.odoo_protocol == OdooProtocol::kAuto;
}

Task<absl::Status> OdooFacts::Learn(IngestSubject subject, bool edited) {
  const bool due = IsDue(subject, edited);
  asked_ = subject.client;
  if (!due) co_return absl::OkStatus();
  auto turn = co_await subject.turn->Acquire(LanePriority::kPoll);
  auto lane = co_await subject.lane->Acquire(LanePriority::kPoll);
  if (context_.ingest.stopping()) co_return StoppingError();
  const auto version = co_await subject.client->Version();
  if (!version.ok() && !HidesIt(odoo::ErrorKindOf(version.status()))) {
    asked_.reset();  // ask again
    co_return version.status();
  }
  const absl::Status key = co_await LearnKey(*subject.client);
  if (!key.ok()) co_return key;
  due_ = context_.ingest.clock.Monotonic() + kInterval;
  co_return absl::OkStatus();
}

Task<absl::Status> OdooFacts::LearnKey(odoo::Client& client) {
  const auto expires = co_await client.KeyExpiry();
  if (!expires.ok()) co_return expires.status();
  const absl::Time now = context_.ingest.clock.Now();
  const std::optional<absl::Time> at = *expires;
  const bool expiring = at.has_value() && now >= *at - kKeyWarning;
  if (expiring && !counted_) {
    context_.ingest.log.Warning("an Odoo API key ends soon",
                                {{"connection", id_}, {"at", poller::FormatTime(*at)}});
  }
  CountKey(expiring);
  auto save = [&connections = context_.ingest.connections, id = id_, at, now] {
    return connections.SaveKeyExpiry(id, at, now);
  };
  const absl::Status saved = co_await Offload(context_.ingest.storage_pool, std::move(save));
  if (!saved.ok() && !absl::IsNotFound(saved)) {
    context_.ingest.log.Warning("cannot store when a key ends",
                                {{"connection", id_}, {"error", saved}});
  }
  co_return absl::OkStatus();
}

void OdooFacts::CountKey(bool expiring) {
  if (expiring == counted_) return;
  counted_ = expiring;
  context_.metrics.KeyExpiring(expiring);
}

}  // namespace poller
