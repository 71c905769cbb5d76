#!/usr/bin/env bash
# Databases that pollerd must not touch: one that another pollerd holds, the Python poller's, and somebody else's file. Each is
# refused with exit code 1 and words that help, and is left as it was, to the byte, with nothing new beside it.
# usage: refused.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
. tests/e2e/processes.sh

# refused WHAT FOLDER PATTERN [FLAG...]: pollerd does not start on that data folder, and says PATTERN.
refused() {
  local what=$1 data=$2 pattern=$3 code=0
  shift 3
  find "$data" -type f -not -name '*.lock' -exec sha256sum {} + | sort >"$folder/before"
  timeout 20 "$bin/pollerd" --data-dir "$data" --listen 127.0.0.1:0 "$@" >"$folder/said" 2>&1 || code=$?
  find "$data" -type f -not -name '*.lock' -exec sha256sum {} + | sort >"$folder/after"
  if [ "$code" != 1 ] || ! grep -q -- "$pattern" "$folder/said" || ! cmp -s "$folder/before" "$folder/after"; then
    echo "$what: exit code $code, expected 1 and \"$pattern\"; it said:" >&2
    cat "$folder/said" >&2
    diff "$folder/before" "$folder/after" >&2 || true
    exit 1
  fi
  checks=$((checks + 1))
}
checks=0

start pollerd "$bin/pollerd" --data-dir "$folder/data" --listen 127.0.0.1:0
"$bin/pollerctl" --server "$address" --token-file "$folder/data/admin.token" status >/dev/null # it serves: what follows meets a running one
refused "a second pollerd" "$folder/data" "in use by process $pid"

mkdir "$folder/python" "$folder/diary" "$folder/other"
/usr/bin/python3 - "$folder" <<'END'
import pathlib, sqlite3, sys
folder = pathlib.Path(sys.argv[1])
db = sqlite3.connect(folder / "python" / "poller.db")
db.executescript("""
CREATE TABLE connections (id INTEGER PRIMARY KEY, name TEXT, external_id TEXT, odoo_url TEXT);
CREATE TABLE sync_logs (id INTEGER PRIMARY KEY, connection_id INTEGER);
CREATE TABLE retry_queue (id INTEGER PRIMARY KEY, payload TEXT);
CREATE TABLE sent_orders (id INTEGER PRIMARY KEY, odoo_order_id INTEGER);
INSERT INTO connections VALUES (1, 'shop', '7', 'https://shop.example');
""")
db.commit()
db = sqlite3.connect(folder / "other" / "poller.db")
db.execute("CREATE TABLE bookmarks (url TEXT)")
db.commit()
(folder / "diary" / "poller.db").write_text("Dear diary, " + "it rained. " * 50)
END
refused "the Python poller's database" "$folder/python" "pollerd import --from"
"$bin/pollerd" keygen >"$folder/a.key"
chmod 600 "$folder/a.key"
refused "the same with a key at hand" "$folder/python" "pollerd import --from" --encryption-key-file "$folder/a.key"
refused "another program's database" "$folder/other" "another program" --encryption-key-file "$folder/a.key"
refused "a file that is no database" "$folder/diary" "not a database of this program"

kill "$pid"
wait "$pid"
echo "refused: $checks databases, all left as they were"
