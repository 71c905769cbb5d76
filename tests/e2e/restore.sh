#!/usr/bin/env bash
# Backups that are made under load and put back old: what they hold may be delivered, changed or cancelled since. Nothing is lost, and the
# receiver sees nothing that a correct sender never does: no id with another body, no revision behind a newer one.
# usage: restore.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
. tests/e2e/processes.sh
. tests/e2e/shop.sh

log_id() { "$bin/pollerctl" status -o json | sed -n 's/.*"logId": *"\([^"]*\)".*/\1/p'; }
held() { "$bin/pollerctl" status -o json | sed -n 's/.*"heldCount": *"\([0-9]*\)".*/\1/p'; }

# restore FILE: pollerd is stopped, the backup is put back, and pollerd runs until nothing is held any more.
restore() {
  local before
  before=$(log_id)
  stop_pollerd
  "$bin/pollerd" restore "$data/backups/$1" --data-dir "$data" >"$folder/restore.out" 2>&1 || { cat "$folder/restore.out" >&2; exit 1; }
  start_pollerd
  [ "$(log_id)" != "$before" ] || { echo "the event log kept its id over a restore" >&2; exit 1; }
  for _ in $(seq 120); do
    [ "$(held)" = 0 ] && return 0
    sleep 0.5
  done
  echo "the shop is still held a minute after the restore" >&2
  exit 1
}

start_shop
confirm 20
settle
"$bin/pollerctl" backup early.db >/dev/null
confirm 30
"$bin/pollerctl" poll shop >/dev/null &
poll=$!
"$bin/pollerctl" backup busy.db >/dev/null # while they are stored and delivered
wait "$poll"
settle
post "http://$receiver/receiver/mode" '{"status":500}' # what follows waits in the backup
confirm 10
"$bin/pollerctl" poll shop >/dev/null
"$bin/pollerctl" backup waiting.db >/dev/null
post "http://$receiver/receiver/mode" '{"status":200}'
"$bin/pollerctl" retry --all --yes >/dev/null 2>&1
settle
total=60
for backup in waiting.db early.db busy.db; do
  restore "$backup"
  confirm 5
  total=$((total + 5))
  settle
done
# A backup is no database to run on.
stop_pollerd
cp "$data/backups/early.db" "$folder/copy.db"
if "$bin/pollerd" --data-dir "$data" --db-path "$folder/copy.db" --listen 127.0.0.1:0 >"$folder/said" 2>&1; then
  echo "pollerd ran on a backup" >&2
  exit 1
fi
grep -q "pollerd restore" "$folder/said" || { cat "$folder/said" >&2; exit 1; }
compare "3 restores" "$total"
