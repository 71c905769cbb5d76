#!/usr/bin/env bash
# Every RPC of every service can be called with nothing but reflection: the server says what there is, and each answers an empty request with
# what it should or with an error that a caller can act on.
# usage: every_rpc.sh [BUILD_FOLDER]      needs npm; starts its own pollerd on a free port of 127.0.0.1
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/dev}
. tests/deps.sh
install_buf

. tests/e2e/processes.sh
start pollerd "$build/bin/pollerd" --data-dir "$folder/data" --listen 127.0.0.1:0
export address buf headers=$folder/headers
printf 'authorization: Bearer %s\n' "$(cat "$folder/data/admin.token")" >"$headers"

# call SERVICE/METHOD: prints "SERVICE/METHOD WORD", the word being "ok" or the name of the code.
call() {
  local said word
  # Streams that have no end are ended by the time-out: what came until then counts.
  said=$(timeout 10 "$buf" curl --protocol grpc --http2-prior-knowledge -H "@$headers" -d '{}' "http://$address/$1" 2>&1) || true
  case $said in
    *'"heartbeat"'* | *'"status": "SERVING"'* | *'"status":"SERVING"'*) word=ok ;;
    *'"code"'*) word=$(sed -n 's/.*"code": *"\([a-z_]*\)".*/\1/p' <<<"$said" | head -n 1) ;;
    '{'*) word=ok ;;
    '') word=silence ;;
    *) word=$(tr '\n' ' ' <<<"$said") ;;
  esac
  echo "$1 $word"
}
export -f call

"$buf" curl --protocol grpc --http2-prior-knowledge --list-methods "http://$address" >"$folder/methods"
xargs -P 4 -I{} bash -c 'call {}' <"$folder/methods" | sort >"$folder/answers"
wrong=$(grep -vE ' (ok|invalid_argument|not_found|already_exists|failed_precondition|out_of_range|aborted)$' "$folder/answers" || true)
services=$(cut -d/ -f1 "$folder/answers" | sort -u | wc -l)
if [ -n "$wrong" ] || [ "$services" -lt 7 ] || [ "$(wc -l <"$folder/answers")" != "$(wc -l <"$folder/methods")" ]; then
  echo "these answer an empty request with what no caller can act on: $wrong" >&2
  cat "$folder/answers" >&2
  exit 1
fi
echo "every RPC: $(wc -l <"$folder/answers") of $services services are called by reflection:" \
  "$(cut -d' ' -f2 "$folder/answers" | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep=", " }')"
