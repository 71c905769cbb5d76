#!/usr/bin/env bash
# G1 and G2 with real processes: pollerd is killed with -9 again and again while orders are confirmed and the receiver fails now and then;
# in the end every confirmed order has arrived, and the receiver saw nothing that a correct sender never does.
# usage: kill.sh [BUILD_FOLDER [KILLS]]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
kills=${2:-5}
. tests/e2e/processes.sh

start_pollerd() {
  start pollerd "$bin/pollerd" --data-dir "$folder/data" --listen 127.0.0.1:0 --egress-allow 127.0.0.0/8 \
    --retry-base 1s --breaker-open 2s
  export POLLERCTL_SERVER=$address POLLERCTL_TOKEN_FILE=$folder/data/admin.token
  pollerd=$pid
}

printf 'a-secret-of-the-kill-test\n' >"$folder/secret"
printf 'admin-key\n' >"$folder/key"
start odoo "$bin/odoo_sim" --databases shop --orders-per-second 0
odoo=$address
start receiver "$bin/receiver" --secret-file "$folder/secret"
receiver=$address
start_pollerd
"$bin/pollerctl" add --name shop --url "http://$odoo" --database shop --username admin --api-key-file "$folder/key" \
  --webhook-url "http://$receiver/hook" --webhook-secret-file "$folder/secret" --interval 5s
"$bin/pollerctl" poll shop >/dev/null # the shop is empty: everything from now on is to arrive

for round in $(seq "$kills"); do
  post "http://$odoo/sim/orders" '{"db":"shop","count":20}'
  [ $((round % 2)) = 0 ] && post "http://$receiver/receiver/mode" '{"status":500,"seconds":1}'
  "$bin/pollerctl" poll shop >/dev/null 2>&1 &
  poll=$!
  sleep "0.$((RANDOM % 5))"
  kill -9 "$pollerd"
  wait "$pollerd" 2>/dev/null || true
  wait "$poll" 2>/dev/null || true
  start_pollerd
done
"$bin/pollerctl" poll shop >/dev/null
for _ in $(seq 120); do
  [ "$(waiting)" = 0 ] && break
  sleep 0.5
done
kill "$pollerd"
code=0
wait "$pollerd" || code=$?
[ "$code" = 0 ] || { echo "pollerd ended with $code after SIGTERM" >&2; exit 1; }

get "http://$odoo/sim/orders?db=shop" >"$folder/committed"
get "http://$receiver/receiver/orders" >"$folder/arrived"
get "http://$receiver/receiver/summary" >"$folder/summary"
/usr/bin/python3 - "$folder" "$kills" <<'END'
import json, pathlib, sys
folder, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2])
committed = {o["name"] for o in json.loads((folder / "committed").read_text())["orders"]}
arrived = {o["name"] for o in json.loads((folder / "arrived").read_text())["orders"] if o["revision"] > 0}
summary = json.loads((folder / "summary").read_text())
lost = sorted(committed - arrived)
print(f"{kills} kills: {len(committed)} orders committed, {len(arrived)} arrived, "
      f"{summary['repeats'] + summary['duplicates']} repeats, {summary['violations']} violations")
if len(committed) != 20 * kills or lost or summary["violations"] or summary["bad_signatures"]:
    sys.exit(f"lost: {lost}; summary: {summary}")
END
