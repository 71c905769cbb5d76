#!/usr/bin/env bash
# G1 and G2 with real processes: pollerd is killed with -9 again and again while orders are confirmed and the receiver fails now and then;
# in the end every confirmed order has arrived, and the receiver saw nothing that a correct sender never does.
# usage: kill.sh [BUILD_FOLDER [KILLS]]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
kills=${2:-5}
. tests/e2e/processes.sh
. tests/e2e/shop.sh

start_shop
for round in $(seq "$kills"); do
  confirm 20
  [ $((round % 2)) = 0 ] && post "http://$receiver/receiver/mode" '{"status":500,"seconds":1}'
  "$bin/pollerctl" poll shop >/dev/null 2>&1 &
  poll=$!
  sleep "0.$((RANDOM % 5))"
  kill -9 "$pollerd"
  wait "$pollerd" 2>/dev/null || true
  wait "$poll" 2>/dev/null || true
  start_pollerd
done
settle
stop_pollerd
compare "$kills kills" $((20 * kills))
