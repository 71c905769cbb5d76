// The tables. Times are microseconds since 1970; NULL stands for "never" or "none". The numbers of
// status, condition, priority and type are those of the enums in core/model; codes.h pins them.
#pragma once

#include <string_view>

namespace poller {

inline constexpr std::string_view kSchema1 = R"sql(
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL DEFAULT 1,  -- rises when the connection is moved to another Odoo
  version INTEGER NOT NULL DEFAULT 1,
  deleted INTEGER NOT NULL DEFAULT 0,     -- hidden; its rows are being removed
  name TEXT NOT NULL,
  external_id TEXT NOT NULL,
  odoo_url TEXT NOT NULL,
  odoo_database TEXT NOT NULL,
  odoo_username TEXT NOT NULL,
  odoo_api_key BLOB NOT NULL,             -- sealed
  odoo_protocol INTEGER NOT NULL,
  odoo_company_ids TEXT NOT NULL,         -- with commas
  odoo_ca_pem TEXT NOT NULL,
  odoo_rate REAL NOT NULL,
  webhook_url TEXT NOT NULL,
  webhook_secret BLOB NOT NULL,           -- sealed
  webhook_legacy_secret_header INTEGER NOT NULL,
  webhook_ca_pem TEXT NOT NULL,
  interval_us INTEGER NOT NULL,
  overlap_us INTEGER NOT NULL,
  line_interval_us INTEGER NOT NULL,
  track_age_us INTEGER NOT NULL,
  send_cancelled INTEGER NOT NULL,
  send_every_touch INTEGER NOT NULL,
  start_from TEXT NOT NULL,
  paused_polling INTEGER NOT NULL,
  paused_delivery INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX connection_name ON connection (name) WHERE deleted = 0;

-- What changes with every poll, apart from the settings.
CREATE TABLE connection_state (
  connection_id INTEGER PRIMARY KEY REFERENCES connection (id),
  mark INTEGER,
  line_mark INTEGER,
  sweep_mark INTEGER,
  started INTEGER,
  odoo_uid INTEGER NOT NULL DEFAULT 0,
  odoo_version TEXT NOT NULL DEFAULT '',
  odoo_breaker_state INTEGER NOT NULL DEFAULT 0,
  odoo_breaker_failures INTEGER NOT NULL DEFAULT 0,
  odoo_breaker_successes INTEGER NOT NULL DEFAULT 0,
  odoo_breaker_opened_at INTEGER,
  odoo_breaker_retry_at INTEGER,
  odoo_breaker_error TEXT NOT NULL DEFAULT '',
  receiver_breaker_state INTEGER NOT NULL DEFAULT 0,
  receiver_breaker_failures INTEGER NOT NULL DEFAULT 0,
  receiver_breaker_successes INTEGER NOT NULL DEFAULT 0,
  receiver_breaker_opened_at INTEGER,
  receiver_breaker_retry_at INTEGER,
  receiver_breaker_error TEXT NOT NULL DEFAULT '',
  suspension_reason TEXT,                 -- NULL: not suspended
  suspension_message TEXT NOT NULL DEFAULT '',
  suspended_since INTEGER,
  receiver_gone_since INTEGER,
  receiver_failing_since INTEGER,
  last_poll_at INTEGER,
  last_poll_duration_us INTEGER NOT NULL DEFAULT 0,
  last_poll_found INTEGER NOT NULL DEFAULT 0,
  last_poll_error TEXT NOT NULL DEFAULT '',
  waiting INTEGER NOT NULL DEFAULT 0,     -- deliveries with status pending
  dead INTEGER NOT NULL DEFAULT 0,        -- deliveries with status dead
  acceptances INTEGER NOT NULL DEFAULT 0  -- by the receiver, ever
) STRICT;

-- Revisions of orders. By construction the newest of an order alone can be pending or dead, save one that is in flight.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection_id INTEGER NOT NULL REFERENCES connection (id),
  generation INTEGER NOT NULL,
  order_id INTEGER NOT NULL,
  order_name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  webhook_id TEXT NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  condition INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  event TEXT NOT NULL DEFAULT '',         -- fixed with webhook_connection_id by the first claim
  webhook_connection_id TEXT NOT NULL DEFAULT '',
  content_hash TEXT NOT NULL,
  write_date TEXT NOT NULL,
  unmappable INTEGER NOT NULL DEFAULT 0,
  before_start INTEGER NOT NULL DEFAULT 0,
  was_baseline INTEGER NOT NULL DEFAULT 0,
  reconfirmed INTEGER NOT NULL DEFAULT 0,
  base INTEGER NOT NULL DEFAULT 1,        -- first revision since the order was cancelled last
  attempts INTEGER NOT NULL DEFAULT 0,    -- requests that ended
  spent INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,      -- it failed since it was queued
  accepted INTEGER NOT NULL DEFAULT 0,    -- the receiver accepted it once
  fate_unknown INTEGER NOT NULL DEFAULT 0,  -- the answer to a request was lost once
  acceptances_seen INTEGER,               -- connection_state.acceptances when its last request ended
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  pending_since INTEGER NOT NULL,
  next_attempt_at INTEGER,
  queue INTEGER NOT NULL DEFAULT 0,       -- 0: not queued or in flight; 1: due; 2: waits for due_mono
  due_mono INTEGER NOT NULL DEFAULT 0,    -- the store's time (context.h)
  forced INTEGER NOT NULL DEFAULT 0,
  forced_again INTEGER NOT NULL DEFAULT 0,  -- asked for while in flight: forced if that fails
  claimed INTEGER NOT NULL DEFAULT 0,     -- the run that has it in flight
  claimed_at INTEGER,
  last_http_status INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  retry INTEGER GENERATED ALWAYS AS (
    CASE WHEN status = 2 THEN 2 WHEN status = 0 AND failed = 1 THEN 1 END) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX delivery_order ON delivery (connection_id, order_id, revision);
-- Never two in flight for one order.
CREATE UNIQUE INDEX delivery_in_flight ON delivery (connection_id, order_id) WHERE claimed <> 0;
CREATE INDEX delivery_due ON delivery (connection_id, forced DESC, priority, attempts, id) WHERE queue = 1;
-- The last two columns spare a start the rows.
CREATE INDEX delivery_waiting ON delivery (connection_id, priority, due_mono, next_attempt_at, queue) WHERE queue = 2;
CREATE INDEX delivery_age ON delivery (connection_id, pending_since) WHERE status = 0;
CREATE INDEX delivery_retry ON delivery (connection_id, retry, id) WHERE retry IS NOT NULL;
CREATE INDEX delivery_retry_all ON delivery (retry, id) WHERE retry IS NOT NULL;

-- What a delivery says, sealed. Apart, so that lists do not read it.
CREATE TABLE payload (
  delivery_id INTEGER PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE attempt (
  delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  http_status INTEGER NOT NULL,
  failure TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

-- The newest revision of each order; kept as long as its connection.
CREATE TABLE head (
  connection_id INTEGER NOT NULL REFERENCES connection (id),
  order_id INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  write_date TEXT NOT NULL,
  line_write_date TEXT NOT NULL,
  condition INTEGER NOT NULL,
  young INTEGER NOT NULL,
  observed_at INTEGER,
  delivery_id INTEGER NOT NULL REFERENCES delivery (id),
  PRIMARY KEY (connection_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX head_delivery ON head (delivery_id);
CREATE INDEX head_changed ON head (connection_id, delivery_id);
CREATE INDEX head_name ON head (name);

CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  type INTEGER NOT NULL,
  connection_id INTEGER NOT NULL,
  connection_name TEXT NOT NULL,
  order_id INTEGER NOT NULL,
  order_name TEXT NOT NULL,
  detail TEXT NOT NULL                    -- JSON
) STRICT;

CREATE TABLE sync_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection_id INTEGER NOT NULL,
  connection_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  listed INTEGER NOT NULL,
  recorded INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX sync_log_connection ON sync_log (connection_id, id);
CREATE INDEX sync_log_age ON sync_log (started_at);

CREATE TABLE token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  role INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

-- Calls that must not be done twice, for a day.
CREATE TABLE request (
  kind TEXT NOT NULL,
  token_name TEXT NOT NULL,
  request_id TEXT NOT NULL,
  result INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (kind, token_name, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_age ON request (at);
)sql";

inline constexpr std::string_view kSchema2 = R"sql(
CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection_id INTEGER NOT NULL REFERENCES connection (id),
  kind INTEGER NOT NULL,
  since INTEGER,
  until INTEGER,
  last INTEGER NOT NULL,
  repair INTEGER NOT NULL,
  state INTEGER NOT NULL,
  after_order INTEGER NOT NULL DEFAULT 0,
  oldest_date INTEGER,                    -- of the newest N; NULL: not counted yet, or all
  oldest_order INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT -1,      -- -1: not counted yet
  listed INTEGER NOT NULL DEFAULT 0,
  enqueued INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  differences INTEGER NOT NULL DEFAULT 0,
  first_differences TEXT NOT NULL DEFAULT '[]',  -- JSON
  waits_for TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  requested TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER                     -- NULL: it is not over
) STRICT;
-- One unfinished job of a kind a connection.
CREATE UNIQUE INDEX job_unfinished ON job (connection_id, kind) WHERE state IN (1, 2);
CREATE INDEX job_connection ON job (connection_id, id);
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;

-- After a restore nothing is delivered until a complete poll and a complete sweep were committed.
ALTER TABLE connection_state ADD COLUMN held_since INTEGER;  -- NULL: not held
ALTER TABLE connection_state ADD COLUMN held_polled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connection_state ADD COLUMN held_swept INTEGER NOT NULL DEFAULT 0;

-- What retention must not forget of the revisions that it removed.
ALTER TABLE head ADD COLUMN known_revision INTEGER NOT NULL DEFAULT 0;  -- the newest that the receiver may know
ALTER TABLE head ADD COLUMN past_attempted INTEGER NOT NULL DEFAULT 0;  -- one was requested or accepted
ALTER TABLE head ADD COLUMN past_baseline INTEGER NOT NULL DEFAULT 0;   -- one was baseline
-- Retention has done with it, as long as it or a later one is the newest.
ALTER TABLE delivery ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_ledger ON delivery (updated_at) WHERE status NOT IN (0, 2) AND pruned = 0;
)sql";

inline constexpr std::string_view kSchema3 = R"sql(
ALTER TABLE token ADD COLUMN last_used_at INTEGER;  -- NULL: never; to the minute

-- What was asked for under a request id, as a keyed hash; empty: an earlier version did not keep it.
ALTER TABLE request ADD COLUMN content BLOB NOT NULL DEFAULT x'';
-- What the call answered, where its result is no number.
ALTER TABLE request ADD COLUMN answer BLOB;

-- While the secret of the webhooks is rotated: the one before, sealed, and until when it counts.
ALTER TABLE connection ADD COLUMN webhook_previous_secret BLOB NOT NULL DEFAULT x'';
ALTER TABLE connection ADD COLUMN webhook_rotated_until INTEGER;  -- NULL: not rotating
CREATE INDEX connection_rotation ON connection (webhook_rotated_until) WHERE webhook_rotated_until IS NOT NULL;
)sql";

inline constexpr std::string_view kSchema4 = R"sql(
ALTER TABLE head ADD COLUMN line_stamps TEXT NOT NULL DEFAULT '';  -- OrderHead; '': not recorded
ALTER TABLE job ADD COLUMN baseline INTEGER NOT NULL DEFAULT 0;    -- orders that are left alone
)sql";

inline constexpr std::string_view kSchema5 = R"sql(
-- Which protocol a connection's Odoo is called with. 0: not chosen yet.
ALTER TABLE connection_state ADD COLUMN odoo_protocol INTEGER NOT NULL DEFAULT 0;
-- When the first of the user's API keys ends, and the end that readers were told of. NULL: unknown.
ALTER TABLE connection_state ADD COLUMN key_expires_at INTEGER;
ALTER TABLE connection_state ADD COLUMN key_warned_of INTEGER;
)sql";

inline constexpr std::string_view kSchema6 = R"sql(
-- The requests of a token, not of whoever has its name. 0: the service's own.
CREATE TABLE request_of_token (
  kind TEXT NOT NULL,
  token_id INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  result INTEGER NOT NULL,
  at INTEGER NOT NULL,
  content BLOB NOT NULL,
  answer BLOB,
  PRIMARY KEY (kind, token_id, request_id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO request_of_token (kind, token_id, request_id, result, at, content, answer)
  SELECT kind, coalesce((SELECT id FROM token WHERE name = token_name AND revoked_at IS NULL), 0),
         request_id, result, at, content, answer FROM request;
DROP TABLE request;
ALTER TABLE request_of_token RENAME TO request;
CREATE INDEX request_age ON request (at);
)sql";

inline constexpr std::string_view kSchema7 = R"sql(
ALTER TABLE connection ADD COLUMN pause_note TEXT NOT NULL DEFAULT '';  -- Connection
)sql";

}  // namespace poller
