// A connection: one shop's Odoo and the endpoint that receives its orders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/secret.h"
#include "core/model/ids.h"

namespace poller {

enum class OdooProtocol { kAuto, kJsonRpc, kJson2 };

struct OdooSettings {
  std::string url;  // scheme, host and port; a path is kept
  std::string database;
  std::string username;
  Secret api_key;  // or password
  OdooProtocol protocol = OdooProtocol::kAuto;
  std::vector<std::int64_t> company_ids;  // empty: all that the user sees
  std::string ca_pem;                     // trusted instead of the server's default; empty: default
  double rate = 0;                        // calls a second at most; 0: the server's default
};

struct WebhookSettings {
  std::string url;
  Secret secret;                      // "whsec_" + base64, or any text taken as raw bytes
  bool legacy_secret_header = false;  // send X-Webhook-Secret too
  std::string ca_pem;
};

// Where a new connection begins.
struct StartFrom {
  enum class Kind { kNow, kBeginning, kLast, kTime };
  Kind kind = Kind::kNow;
  int last = 0;                            // kLast: how many orders
  absl::Time time = absl::InfinitePast();  // kTime
  // "now", "beginning", "last:20", or a time. kInvalidArgument shows these.
  static absl::StatusOr<StartFrom> Parse(std::string_view text);
  std::string Text() const;
};

// What the operator sets.
struct ConnectionSettings {
  std::string name;         // unique; 1 to 100 bytes; not all digits; no control characters
  std::string external_id;  // StockMaster's id; empty: the connection's uid is sent instead
  OdooSettings odoo;
  WebhookSettings webhook;
  absl::Duration interval = absl::Seconds(60);  // start to start; 5 s to 24 h; jittered by ±10 %
  absl::Duration overlap;                       // zero: the server's default
  absl::Duration line_interval = absl::Minutes(5);  // between line queries
  absl::Duration track_age =
      absl::Hours(24 * 90);  // orders older than that are not watched for line edits
  bool send_cancelled = false;
  bool send_every_touch = false;
  StartFrom start_from;
  bool paused_polling = false;
  bool paused_delivery = false;

  // kInvalidArgument with a violation for every wrong field, as the API names them ("odoo.url",
  // "interval"). `default_webhook_url` completes an empty webhook.url before the check by the
  // caller.
  absl::Status Validate() const;
};

// Why a connection or a token may not be called that; empty: it may.
std::string NameFault(const std::string& name);
// Why that cannot be a key or secret; empty: it can.
std::string SecretFault(const Secret& secret);

// While the receiver learns a new secret.
struct SecretRotation {
  Secret previous;
  absl::Time until;  // from then on the previous one counts no more
};

struct Connection {
  ConnectionId id;
  std::string uid;           // random, never reused; part of every webhook id
  std::int64_t version = 0;  // rises with every change of the settings: the etag
  ConnectionSettings settings;
  std::optional<SecretRotation> rotation;  // of settings.webhook.secret; may be over already
  // Why it is paused, where no operator paused it: it was imported. Gone once either leg is resumed
  // or paused.
  std::string pause_note;
  absl::Time created_at;
  absl::Time updated_at;

  // The connection_id of the webhook.
  const std::string& WebhookConnectionId() const {
    return settings.external_id.empty() ? uid : settings.external_id;
  }
  bool IsRotating(absl::Time now) const { return rotation && now < rotation->until; }
  // What webhooks are signed with, the present secret first.
  std::vector<Secret> SigningSecrets(absl::Time now) const;
  // What X-Webhook-Secret carries: a receiver compares it with the one secret that it has, which
  // during a rotation is still the previous one.
  const Secret& HeaderSecret(absl::Time now) const;
};

enum class BreakerState { kClosed, kOpen, kHalfOpen };

// What survives of a circuit breaker.
struct BreakerRecord {
  BreakerState state = BreakerState::kClosed;
  int failures = 0;   // consecutive, while closed
  int successes = 0;  // consecutive, while half-open
  absl::Time opened_at = absl::InfinitePast();
  absl::Time retry_at = absl::InfinitePast();  // when open: the next probe
  std::string last_error;
  friend bool operator==(const BreakerRecord&, const BreakerRecord&) = default;
};

// The two legs of a connection.
enum class Leg { kOdoo, kReceiver };

// How long before its end a key is spoken of.
inline constexpr absl::Duration kKeyWarning = absl::Hours(24 * 14);

// Why a connection does nothing although nobody paused it.
struct Suspension {
  std::string reason;  // a stable word: "credentials", "rights", "fields"
  std::string message;
  absl::Time since = absl::InfinitePast();
};

struct LastPoll {
  absl::Time at = absl::InfinitePast();  // start; never: InfinitePast
  absl::Duration duration;
  std::int64_t found = 0;  // orders with something new
  std::string error;       // empty: it went well
};

// What the service knows of a connection beside its settings. Writing it does not change the etag.
struct ConnectionState {
  // Odoo's clock (the Date header) at the start of the last complete pass; InfinitePast before the
  // first.
  absl::Time mark = absl::InfinitePast();
  absl::Time line_mark = absl::InfinitePast();   // the same for the line query
  absl::Time sweep_mark = absl::InfinitePast();  // the same for the sweep
  // Odoo's clock when this connection began: what was confirmed before is announced as an update.
  // InfinitePast: not begun.
  absl::Time started = absl::InfinitePast();
  std::int64_t odoo_uid = 0;                         // the logged-in user; 0: unknown
  std::string odoo_version;                          // "17.0"; empty: unknown
  OdooProtocol odoo_protocol = OdooProtocol::kAuto;  // in use; kAuto: not chosen yet
  // When the first of the user's API keys ends, where Odoo tells.
  std::optional<absl::Time> key_expires_at;
  BreakerRecord odoo_breaker;
  BreakerRecord receiver_breaker;
  std::optional<Suspension> suspension;
  std::optional<absl::Time> receiver_gone_since;  // the receiver answered 410
  LastPoll last_poll;
  std::int64_t waiting = 0;                            // pending deliveries
  std::int64_t dead = 0;                               // dead deliveries
  absl::Time oldest_waiting = absl::InfiniteFuture();  // creation of the oldest pending one
  // When the receiver began to fail without an acceptance since; unset while it accepts.
  std::optional<absl::Time> receiver_failing_since;
  // A backup was restored: nothing is delivered until one complete poll and one complete sweep were
  // committed since, because the backup does not know what has happened after it.
  std::optional<absl::Time> held_since;

  // Its first pass was complete: there is a window to poll. Not so after it was moved to another
  // Odoo, until it has begun there.
  bool HasBegun() const { return mark != absl::InfinitePast(); }
};

}  // namespace poller
