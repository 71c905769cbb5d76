#!/usr/bin/env bash
# The disk fills up while orders come in: pollerd stays up and answers, loses nothing, and goes on by itself when there is room again.
# usage: disk_full.sh [BUILD_FOLDER]      needs root or sudo, for a small filesystem of its own
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
. tests/e2e/processes.sh
. tests/e2e/shop.sh

[ "$(id -u)" -eq 0 ] || exec sudo "$PWD/tests/e2e/disk_full.sh" "$@"
disk=$(mktemp -d)
mount -t tmpfs -o size=24m none "$disk"
trap 'end_processes; umount "$disk"; rmdir "$disk"' EXIT
data=$disk/data
pollerd_flags=(--min-free-disk 0) # first without the warning that stops polling in time

start_shop
confirm 20
settle
for round in 1 2 3; do
  dd if=/dev/zero of="$disk/ballast" bs=64k status=none 2>/dev/null || true # until it is full
  [ "$(df --output=avail "$disk" | tail -n 1)" -lt 64 ] || { echo "the disk is not full" >&2; exit 1; }
  confirm 200
  "$bin/pollerctl" poll shop >"$folder/poll" 2>&1 || true # some of it may find room; it must end, and be said
  kill -0 "$pollerd" || { echo "pollerd died of a full disk" >&2; cat "$folder/pollerd.log" >&2; exit 1; }
  "$bin/pollerctl" status >/dev/null || { echo "pollerd does not answer on a full disk" >&2; exit 1; }
  if [ "$round" = 2 ]; then # killed in the middle of it
    kill -9 "$pollerd"
    wait "$pollerd" 2>/dev/null || true
    rm "$disk/ballast"
    start_pollerd
  else
    rm "$disk/ballast"
  fi
  settle
done
# Of all rounds: what was written before may leave room inside the files of a full disk, so not every round fails.
cat "$folder/pollerd.earlier.log" "$folder/pollerd.log" >"$folder/said"
grep -q -i "disk" "$folder/said" || { echo "the log does not speak of the disk" >&2; tail -n 20 "$folder/said" >&2; exit 1; }
stop_pollerd

# With the warning: polling stops while there is still room, what waits is delivered, and polling goes on by itself afterwards.
pollerd_flags=(--min-free-disk 8MiB)
disk_low() { "$bin/pollerctl" status -o json | grep -q '"diskLow": *true'; }
await_disk() { # low|well
  for _ in $(seq 60); do
    if disk_low; then [ "$1" = low ] && return 0; elif [ "$1" = well ]; then return 0; fi
    sleep 0.5
  done
  echo "the disk is not $1 for pollerd after 30 s" >&2
  exit 1
}
start_pollerd
await_disk well
post "http://$receiver/receiver/mode" '{"status":503}'
confirm 5
"$bin/pollerctl" poll shop >/dev/null
free=$(df --output=avail "$disk" | tail -n 1)
dd if=/dev/zero of="$disk/ballast" bs=1k count=$((free - 6000)) status=none
await_disk low
confirm 5
if "$bin/pollerctl" poll shop >"$folder/poll" 2>&1; then
  echo "a poll ran on a disk that is nearly full" >&2
  exit 1
fi
grep -q "min-free-disk" "$folder/poll" || { cat "$folder/poll" >&2; exit 1; }
post "http://$receiver/receiver/mode" '{"status":200}'
"$bin/pollerctl" retry --all --yes >/dev/null 2>&1
for _ in $(seq 60); do [ "$(waiting)" = 0 ] && break || sleep 0.5; done
[ "$(waiting)" = 0 ] || { echo "deliveries do not drain on a disk that is nearly full" >&2; exit 1; }
rm "$disk/ballast"
await_disk well
settle
stop_pollerd
compare "disk full 3 times, and nearly full" 630
