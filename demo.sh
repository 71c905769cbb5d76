#!/usr/bin/env bash
# One minute of the product without a real Odoo: two simulated shops, a receiver that fails for a while, pollerd on its defaults.
#   ./demo.sh          runs, shows, cleans up after itself
#   ./demo.sh --keep   goes on at the end and says how to talk to it, until Ctrl-C or until the simulators end by themselves
set -euo pipefail
cd "$(dirname "$0")"
. tests/deps.sh

keep=false
case "${1:-}" in
  "") ;;
  --keep) keep=true ;;
  *) echo "usage: ./demo.sh [--keep]" >&2; exit 2 ;;
esac
seconds=${DEMO_SECONDS:-50} # how long orders are confirmed

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }

mkdir -p build
if [ -n "${DEMO_BIN:-}" ]; then
  bin=$DEMO_BIN # programs that are built already
else
  say "Building (the first time takes some minutes)"
  install_build_deps
  install_packages curl python3
  configure_and_build dev pollerd pollerctl odoo_sim receiver
  bin=$PWD/build/dev/bin
fi

. tests/e2e/processes.sh

say "Two shops, a receiver and pollerd start"
printf 'whsec_%s\n' "$(head -c 24 /dev/urandom | base64)" >"$folder/webhook.secret"
life=600 # seconds that the simulators live, so that a demo that is forgotten does not go on for ever
until=$(date -d "+$life seconds" +%T)
start odoo "$bin/odoo_sim" --max-seconds "$life" --port 0 --databases shop1,shop2 --orders-per-second 0
odoo=$address
start receiver "$bin/receiver" --max-seconds "$life" --port 0 --secret-file "$folder/webhook.secret"
receiver=$address
# The defaults, but for the ports (others may be in use) and the loopback addresses of this demo. Retries come sooner, so
# that a minute is enough to see some.
start pollerd "$bin/pollerd" --data-dir "$folder/data" --listen 127.0.0.1:0 \
  --egress-allow 127.0.0.0/8 --retry-base 2s --breaker-open 5s
server=$address
echo "odoo      http://$odoo (databases shop1 and shop2)"
echo "receiver  http://$receiver"
echo "pollerd   $server"

export POLLERCTL_SERVER=$server POLLERCTL_TOKEN_FILE=$folder/data/admin.token
pollerctl() { "$bin/pollerctl" "$@"; }

say "The operator adds both shops"
printf 'admin-key\n' >"$folder/odoo.key"
for shop in shop1 shop2; do
  pollerctl add --name "$shop" --connection-id "stockmaster-$shop" --url "http://$odoo" --database "$shop" --username admin \
    --api-key-file "$folder/odoo.key" --webhook-url "http://$receiver/hooks/$shop" \
    --webhook-secret-file "$folder/webhook.secret" --interval 5s
done
pollerctl test shop1

# Confirms one order a second, in the two shops in turn.
confirm_orders() {
  local shop=1
  while true; do
    post "http://$odoo/sim/orders" "{\"db\":\"shop$shop\",\"count\":1}"
    shop=$((3 - shop))
    sleep 1
  done
}
confirm_orders &
orders=$!
pids+=($orders)

say "Live events while orders are confirmed (the receiver fails from second 10 to 25)"
"$bin/pollerctl" events --after 0 &
events=$!
pids+=($events)
sleep 10
post "http://$receiver/receiver/mode" '{"status":503,"seconds":15}'
say "-- the receiver answers 503 now"
sleep 7
pollerctl retries || true
sleep 8
say "-- the receiver is well again"
sleep $((seconds > 25 ? seconds - 25 : 1))
kill "$orders" 2>/dev/null || true
wait "$orders" 2>/dev/null || true

say "No more orders; the retry queue empties"
for _ in $(seq 30); do
  [ "$(waiting)" = 0 ] && break
  sleep 1
done
kill "$events" 2>/dev/null || true
wait "$events" 2>/dev/null || true
pollerctl retries

say "What arrived"
get "http://$receiver/receiver/orders" | /usr/bin/python3 -c '
import json, sys
orders = json.load(sys.stdin)["orders"]
print(f"{len(orders)} orders; the last of them:")
for o in orders[-10:]:
    line = (o["connection_id"], o["name"], "revision", o["revision"], o["event"], o["amount_total"], "attempts", o["attempts"])
    print("  ", *line)
'
get "http://$receiver/receiver/summary"
echo
say "And what pollerd says of it"
pollerctl list
pollerctl orders -n 8
pollerctl status

cat <<END

Try next:
  export POLLERCTL_SERVER=$server POLLERCTL_TOKEN_FILE=$folder/data/admin.token
  $bin/pollerctl show shop1
  $bin/pollerctl send -c shop2 --last 3
  $bin/pollerctl logs -c shop1
  $bin/pollerctl --help
END
if $keep; then
  say "Everything goes on until Ctrl-C; the simulated shops and the receiver end by themselves at $until, and then the rest does too"
  confirm_orders 2>/dev/null &
  pids+=($!)
  wait -n "${pids[@]:0:3}" || true # shops, receiver, pollerd: without one of them there is nothing to see
  say "A simulator or pollerd has ended: ending everything else that was started"
else
  say "Done. With --keep it would go on."
fi
