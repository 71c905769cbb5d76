#!/usr/bin/env bash
# The API as a stranger meets it: the protos pass buf's lint, and every service is listed and called with nothing but reflection.
# usage: api.sh [BUILD_FOLDER]      needs npm; starts its own pollerd on a free port of 127.0.0.1
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/dev}

. tests/deps.sh
install_buf

"$buf" lint proto
echo "buf lint: clean"

. tests/e2e/processes.sh
start pollerd "$build/bin/pollerd" --data-dir "$folder/data" --listen 127.0.0.1:0
printf 'authorization: Bearer %s\n' "$(cat "$folder/data/admin.token")" >"$folder/headers"

call() { # SERVICE/METHOD DATA
  "$buf" curl --protocol grpc --http2-prior-knowledge -H "@$folder/headers" -d "$2" "http://$address/$1"
}
expect() { # SERVICE/METHOD DATA PATTERN: the answer, or the error, contains PATTERN
  local answer
  answer=$(call "$1" "$2" 2>&1) || true
  if ! grep -q -- "$3" <<<"$answer"; then
    echo "$1 $2: expected \"$3\", got: $answer" >&2
    exit 1
  fi
  checks=$((checks + 1))
}
checks=0

services=$("$buf" curl --protocol grpc --http2-prior-knowledge --list-services "http://$address")
for service in ConnectionService SyncLogService RetryQueueService OrderService JobService AdminService; do
  grep -q "odoopoller.v1.$service" <<<"$services" || { echo "reflection does not list $service: $services" >&2; exit 1; }
done
grep -q grpc.health.v1.Health <<<"$services" || { echo "reflection does not list health" >&2; exit 1; }

v1=odoopoller.v1
expect grpc.health.v1.Health/Check '{}' SERVING
expect grpc.health.v1.Health/Check "{\"service\":\"$v1.ConnectionService\"}" SERVING
expect $v1.AdminService/GetServerStatus '{}' version
expect $v1.ConnectionService/ListConnections '{}' '{}'
expect $v1.ConnectionService/GetConnection '{"connection":{"id":"7"}}' not_found
expect $v1.ConnectionService/CreateConnection '{"connection":{"name":"1"}}' odoo.url
expect $v1.SyncLogService/ListSyncLogs '{}' '{}'
expect $v1.RetryQueueService/ListRetries '{}' '{}'
expect $v1.RetryQueueService/GetRetry '{"deliveryId":"7"}' not_found
expect $v1.RetryQueueService/RetryDeliveries '{"validateOnly":true}' '{}'
expect $v1.OrderService/ListOrders '{}' '{}'
expect $v1.JobService/ListJobs '{}' '{}'
expect $v1.JobService/WatchJob '{"jobId":"7"}' not_found
expect $v1.AdminService/BackupDatabase '{"name":"../x"}' invalid_argument
expect $v1.AdminService/BackupDatabase '{"name":"x.db"}' sizeBytes
printf 'authorization: Bearer wrong\n' >"$folder/headers"
expect $v1.ConnectionService/ListConnections '{}' unauthenticated
echo "reflection: $checks calls as expected"
