# Sourced by the end-to-end tests of one shop, after processes.sh: a simulated Odoo, a receiver, and what must have arrived in the end.
# Needs $bin, the folder of the programs.

data=$folder/data
pollerd_flags=()  # more of them, for the tests that need some
pollerd_prefix=() # what to run it under
listen=127.0.0.1:0
receiver_flags=()

# Starts pollerd, and points pollerctl at it. Sets `pollerd`, its process.
start_pollerd() {
  start pollerd "${pollerd_prefix[@]}" "$bin/pollerd" --data-dir "$data" --listen "$listen" --egress-allow 127.0.0.0/8 \
    --retry-base 1s --breaker-open 2s "${pollerd_flags[@]}"
  export POLLERCTL_SERVER=$address POLLERCTL_TOKEN_FILE=$data/admin.token
  pollerd=$pid
}

start_shop() { # sets `odoo` and `receiver`, their addresses; pollerd runs, and the shop is polled once, empty
  printf 'a-secret-of-the-test\n' >"$folder/secret"
  printf 'admin-key\n' >"$folder/key"
  start odoo "$bin/odoo_sim" --databases shop --orders-per-second 0
  odoo=$address
  start receiver "$bin/receiver" --secret-file "$folder/secret" "${receiver_flags[@]}"
  receiver=$address
  start_pollerd
  "$bin/pollerctl" add --name shop --url "http://$odoo" --database shop --username admin --api-key-file "$folder/key" \
    --webhook-url "http://$receiver/hook" --webhook-secret-file "$folder/secret" --interval 5s
  "$bin/pollerctl" poll shop >/dev/null # everything from now on is to arrive
}

confirm() { post "http://$odoo/sim/orders" "{\"db\":\"shop\",\"count\":$1}"; }

# Polls until nothing waits any more, for a minute at most.
settle() {
  "$bin/pollerctl" poll shop >/dev/null
  for _ in $(seq 120); do
    [ "$(waiting)" = 0 ] && return 0
    sleep 0.5
  done
  echo "deliveries still wait after a minute" >&2
  "$bin/pollerctl" retries >&2
  exit 1
}

# Ends pollerd in order.
stop_pollerd() {
  local code=0
  kill "$pollerd"
  wait "$pollerd" || code=$?
  [ "$code" = 0 ] || { echo "pollerd ended with $code after SIGTERM" >&2; exit 1; }
}

# compare WHAT COUNT: exactly COUNT orders are confirmed in Odoo, all of them arrived, and the receiver saw nothing that a correct
# sender never does.
compare() {
  get "http://$odoo/sim/orders?db=shop" >"$folder/committed"
  get "http://$receiver/receiver/orders" >"$folder/arrived"
  get "http://$receiver/receiver/summary" >"$folder/summary"
  /usr/bin/python3 - "$folder" "$1" "$2" <<'END'
import json, pathlib, sys
folder, what, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
committed = {o["name"] for o in json.loads((folder / "committed").read_text())["orders"]}
arrived = {o["name"] for o in json.loads((folder / "arrived").read_text())["orders"] if o["revision"] > 0}
summary = json.loads((folder / "summary").read_text())
lost = sorted(committed - arrived)
print(f"{what}: {len(committed)} orders committed, {len(arrived)} arrived, "
      f"{summary['repeats'] + summary['duplicates']} repeats, {len(summary['violations'])} violations")
if len(committed) != count or lost or summary["violations"] or summary["bad_signatures"]:
    sys.exit(f"lost: {lost}; summary: {summary}")
END
}
