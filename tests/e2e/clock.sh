#!/usr/bin/env bash
# pollerd's clock is set forward and back by days while orders come in and the receiver fails: nothing is lost, nothing waits for days.
# The clock is faketime's, for pollerd alone: Odoo and the receiver keep theirs, and the monotonic clock goes on as it does. The
# receiver takes signatures of any day.
# usage: clock.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/deps.sh
install_packages faketime
bin=$PWD/${1:-build/dev}/bin
. tests/e2e/processes.sh
. tests/e2e/shop.sh

echo "+0" >"$folder/clock"
library=$(find /usr/lib -name libfaketimeMT.so.1 | head -n 1)
[ -n "$library" ] || { echo "libfaketimeMT.so.1 is not installed" >&2; exit 1; }
pollerd_prefix=(env "LD_PRELOAD=$library" FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 "FAKETIME_TIMESTAMP_FILE=$folder/clock")
receiver_flags=(--tolerance-days 1000)

start_shop
orders=0
for offset in +3d -2d +0 -30d +400d +0; do
  echo "$offset" >"$folder/clock"
  post "http://$receiver/receiver/mode" '{"status":500,"times":6}'
  confirm 10
  orders=$((orders + 10))
  settle
done
server_time=$("$bin/pollerctl" status -o json | sed -n 's/.*"time": *"\([0-9-]*\)T.*/\1/p')
[ "$server_time" = "$(date -u +%F)" ] || { echo "the clock did not come back: $server_time" >&2; exit 1; }
stop_pollerd
compare "clock set 6 times" "$orders"
