#!/usr/bin/env bash
# Takes over from a Python poller that was killed: what it had sent does not arrive again, what it owed and what was confirmed since does.
# The import is killed at several moments first. The tokens of the old database are made by the openssl program.
# usage: import.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
. tests/e2e/processes.sh
. tests/e2e/shop.sh

old=$folder/old.db
export TMPDIR=$folder # an import that is killed may leave its copy
import=("$bin/pollerd" import --from "$old" --fernet-key-file "$folder/python.key" --data-dir "$data")
fail() { echo "$1" >&2; [ ! -e "$folder/said" ] || cat "$folder/said" >&2; exit 1; }
sums() { (cd "$folder" && sha256sum old.db*); }

printf 'a-secret-of-the-test\n' >"$folder/secret"
printf 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=\n' >"$folder/python.key"
start odoo "$bin/odoo_sim" --databases shop --orders-per-second 0
odoo=$address
start receiver "$bin/receiver" --secret-file "$folder/secret" --check-legacy-header
receiver=$address
confirm 6
get "http://$odoo/sim/orders?db=shop" >"$folder/orders"
# Of six orders the first two were sent, the third was edited since, the fourth waits, the fifth was given up, the sixth was sent too. And many
# that are long gone, so that an import takes a while. The WAL stays beside it.
/usr/bin/python3 - "$folder" "http://$odoo" "http://$receiver/hook" <<'END'
import base64, datetime, hashlib, hmac, json, os, pathlib, sqlite3, subprocess, sys
folder, odoo, hook = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
key = base64.urlsafe_b64decode((folder / "python.key").read_text())
def seal(text):
    vector = os.urandom(16)
    sealed = subprocess.run(["openssl", "enc", "-aes-128-cbc", "-K", key[16:].hex(), "-iv", vector.hex()],
                            input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    signed = b"\x80" + (1700000000).to_bytes(8, "big") + vector + sealed
    return base64.urlsafe_b64encode(signed + hmac.new(key[:16], signed, hashlib.sha256).digest()).decode()
now = datetime.datetime.now(datetime.timezone.utc)
text = lambda time: time.strftime("%Y-%m-%d %H:%M:%S")
long_ago = text(now - datetime.timedelta(days=30))
db = sqlite3.connect(folder / "old.db", isolation_level=None)
db.executescript("""
PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
CREATE TABLE connections(id INTEGER PRIMARY KEY, name TEXT, external_id TEXT, odoo_url TEXT, odoo_db TEXT, odoo_username TEXT,
  odoo_api_key TEXT, webhook_url TEXT, webhook_secret TEXT, poll_interval_seconds INTEGER, enabled INTEGER, circuit_state TEXT,
  circuit_failure_count INTEGER, circuit_last_failure_at TEXT, last_sync_at TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE sync_logs(id INTEGER PRIMARY KEY, connection_id INTEGER, started_at TEXT, finished_at TEXT, orders_found INTEGER,
  orders_sent INTEGER, orders_failed INTEGER, orders_skipped INTEGER, error_message TEXT);
CREATE TABLE retry_queue(id INTEGER PRIMARY KEY, connection_id INTEGER, odoo_order_id INTEGER, odoo_order_name TEXT, payload TEXT,
  status TEXT, attempts INTEGER, max_attempts INTEGER, next_retry_at TEXT, last_error TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE sent_orders(id INTEGER PRIMARY KEY, connection_id INTEGER, odoo_order_id INTEGER, odoo_order_name TEXT,
  odoo_write_date TEXT, sent_at TEXT);
""")
db.execute("INSERT INTO connections VALUES (1,'shop','17',?,'shop','admin',?,?,?,5,1,'closed',0,NULL,?,?,?)",
           (odoo, seal("admin-key"), hook, seal("a-secret-of-the-test"), text(now), long_ago, text(now)))
db.execute("INSERT INTO connections SELECT 2,'asleep','18',odoo_url,odoo_db,odoo_username,odoo_api_key,webhook_url,webhook_secret,5,0,"
           "'open',5,NULL,NULL,created_at,updated_at FROM connections WHERE id=1")
orders = sorted(json.loads((folder / "orders").read_text())["orders"], key=lambda o: o["id"])
def sent(order, written):
    db.execute("INSERT INTO sent_orders VALUES (NULL,1,?,?,?,?)", (order["id"], order["name"], written, text(now)))
def queued(order, status):
    payload = json.dumps({"order": {"id": order["id"], "write_date": order["write_date"][:19], "note": "old"}})
    db.execute("INSERT INTO retry_queue VALUES (NULL,1,?,?,?,?,3,5,NULL,'HTTP 500',?,?)",
               (order["id"], order["name"], payload, status, text(now), text(now)))
written = lambda order: order["write_date"][:19].replace("T", " ")
for i in (0, 1, 5): sent(orders[i], written(orders[i]))
sent(orders[2], long_ago)
queued(orders[3], "pending")
queued(orders[4], "discarded")
db.execute("BEGIN")
for i in range(20000): sent({"id": 1000000 + i, "name": f"OLD{i}"}, long_ago)
db.execute("COMMIT")
(folder / "expected").write_text("\n".join(sorted(orders[i]["name"] for i in (2, 3))) + "\n")
os._exit(0)  # as if it were killed: nothing is folded back
END
[ -s "$old-wal" ] || fail "the old database has no WAL: the test tests nothing"
before=$(sums)

"${import[@]}" --dry-run >"$folder/said" 2>&1 || fail "a dry run failed"
[ ! -e "$data" ] || fail "a dry run made the data folder"
if "${import[@]}" </dev/null >"$folder/said" 2>&1; then fail "it did not ask"; fi
killed=0
for wait in 0.05 0.2 0.4 0.6 0.8; do
  rc=0
  { timeout -s KILL "$wait" "${import[@]}" --yes >/dev/null 2>&1 || rc=$?; } 2>/dev/null
  [ "$rc" = 0 ] || killed=$((killed + 1))
  if [ -e "$data/poller.db" ]; then
    "$bin/pollerd" check --data-dir "$data" >"$folder/said" 2>&1 || fail "a killed import left a database that does not open"
    grep -qE 'connections: (0|2)$' "$folder/said" || fail "a killed import left half of it"
  fi
done
"${import[@]}" --yes >"$folder/said" 2>&1 || fail "the import failed"
"${import[@]}" --yes >"$folder/said" 2>&1 || fail "a second import failed"
grep -q "is here already" "$folder/said" || fail "a second import does not say that all is here"
[ "$(sums)" = "$before" ] || fail "the import touched the old database"
if grep -qaE 'admin-key|a-secret-of-the-test' "$data"/poller.db*; then fail "a secret is in the database in clear"; fi

start_pollerd
"$bin/pollerctl" show asleep | grep -q "where it was disabled" || fail "a connection that was disabled is not marked"
confirm 2
"$bin/pollerctl" resume shop
settle
"$bin/pollerctl" poll shop >/dev/null
settle
get "http://$odoo/sim/orders?db=shop" >"$folder/orders"
get "http://$receiver/receiver/orders" >"$folder/arrived"
get "http://$receiver/receiver/summary" >"$folder/summary"
/usr/bin/python3 - "$folder" "$killed" <<'END'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
orders = sorted(json.loads((folder / "orders").read_text())["orders"], key=lambda o: o["id"])
expected = sorted((folder / "expected").read_text().split() + [o["name"] for o in orders[6:]])
arrived = sorted(o["name"] for o in json.loads((folder / "arrived").read_text())["orders"])
summary = json.loads((folder / "summary").read_text())
print(f"import, killed {sys.argv[2]} times before: {len(arrived)} orders arrived")
if arrived != expected or summary["violations"] or summary["bad_signatures"]:
    sys.exit(f"expected {expected}, arrived {arrived}; summary: {summary}")
END
