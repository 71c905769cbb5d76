#!/usr/bin/env bash
# The example clients of docs/examples (Python, Node, Go) against a real pollerd: they list, create and read errors, and follow the
# stream while both sides are killed, without a gap and without a repeat.
# usage: clients.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/${1:-build/dev}/bin
. tests/deps.sh
install_npm
install_packages protobuf-compiler protobuf-compiler-grpc python3 python3-grpcio python3-protobuf \
  golang-go golang-google-grpc-dev golang-google-protobuf-dev golang-github-golang-protobuf-1-5-dev \
  protoc-gen-go protoc-gen-go-grpc

# Each as its README says, save that Node's packages and what is generated stay in the build folder, and Go's packages are Debian's.
clients=$PWD/build/clients
examples=$PWD/docs/examples
mkdir -p "$clients/python" "$clients/node" "$clients/go/src/odoopoller"
"$examples/python/generate.sh" "$clients/python"
"$examples/go/generate.sh" "$clients/go/src/odoopoller"
cp "$examples"/go/*.go "$clients/go/src/odoopoller"
(cd "$clients/go/src/odoopoller" && GO111MODULE=off GOFLAGS='' GOPATH=$clients/go:/usr/share/gocode go build -o "$clients/orders" .)
cp "$examples"/node/*.js "$clients/node"
if ! cmp -s "$examples/node/package.json" "$clients/node/package.json"; then
  cp "$examples/node/package.json" "$clients/node"
  npm install --silent --no-fund --no-audit --prefix "$clients/node" || { rm "$clients/node/package.json"; exit 1; }
fi

. tests/e2e/processes.sh
. tests/e2e/shop.sh
languages=(python node go)
token=$data/admin.token
reach=() # more flags, of the connection

# client LANGUAGE VERB [FLAG...]: sets `command`. The file of "follow" is $folder/LANGUAGE.state.
client() {
  local language=$1 verb=$2
  local common=(--server "$POLLERCTL_SERVER" --token-file "$token" "${reach[@]}")
  shift 2
  case $language-$verb in
    python-follow) command=(/usr/bin/python3 "$examples/python/follow_orders.py" "${common[@]}" --database "$folder/$language.state") ;;
    python-*) command=(/usr/bin/python3 "$examples/python/connections.py" "${common[@]}" "$verb" "$@") ;;
    node-follow) command=(node "$clients/node/follow-orders.js" "${common[@]}" --journal "$folder/$language.state") ;;
    node-*) command=(node "$clients/node/connections.js" "$verb" "${common[@]}" "$@") ;;
    go-follow) command=("$clients/orders" "${common[@]}" follow -journal "$folder/$language.state") ;;
    go-*) command=("$clients/orders" "${common[@]}" "$verb" "$@") ;;
  esac
}
export PYTHONPATH=$clients/python PYTHONDONTWRITEBYTECODE=1 POLLER_PROTOS=$PWD/proto

# expect PATTERN...: the client's command fails, and its words contain each pattern.
expect() {
  local said pattern
  if said=$("${command[@]}" 2>&1); then
    echo "${command[*]}: expected an error, got: $said" >&2
    exit 1
  fi
  for pattern in "$@"; do
    grep -qi -- "$pattern" <<<"$said" || { echo "${command[*]}: expected \"$pattern\", got: $said" >&2; exit 1; }
  done
}

declare -A followers
follow() { # LANGUAGE
  client "$1" follow
  "${command[@]}" 2>>"$folder/$1.log" &
  followers[$1]=$!
  pids+=("$!")
}
kill_followers() {
  local language
  for language in "${languages[@]}"; do
    kill -9 "${followers[$language]}"
    wait "${followers[$language]}" 2>/dev/null || true
  done
}
kill_pollerd() {
  kill -9 "$pollerd"
  wait "$pollerd" 2>/dev/null || true
}

# history LANGUAGE: a line "LOG SEQUENCE TYPE ORDER" for each event, "LOG SEQUENCE AGAIN -" where it began again.
history() {
  /usr/bin/python3 - "$folder/$1.state" <<'END'
import json, pathlib, sqlite3, sys
file = pathlib.Path(sys.argv[1])
if not file.exists():
    sys.exit()
if file.read_bytes()[:6] == b"SQLite":
    for row in sqlite3.connect(file).execute("SELECT log_id, sequence, type, order_name FROM history ORDER BY rowid"):
        print(*row)
else:
    for line in file.read_text().splitlines(keepends=True):
        row = json.loads(line) if line.endswith("\n") else {}
        if "type" in row:
            print(row["logId"], row["sequence"], row["type"], row["order"])
END
}
delivered() { history "$1" | awk '$3 == "DELIVERY_SUCCEEDED" { print $4 }' | sort -u | wc -l; }

# caught_up COUNT: waits until every client knows that so many orders were delivered.
caught_up() {
  local language
  for language in "${languages[@]}"; do
    for _ in $(seq 150); do
      [ "$(delivered "$language")" -ge "$1" ] && continue 2
      kill -0 "${followers[$language]}" 2>/dev/null || break
      sleep 0.2
    done
    echo "the $language client knows of $(delivered "$language") delivered orders, not $1; it said:" >&2
    cat "$folder/$language.log" >&2
    exit 1
  done
}
# right WHAT COUNT: each history rises without a repeat, and tells of exactly so many orders, found and delivered.
right() {
  local language
  for language in "${languages[@]}"; do
    history "$language" >"$folder/$language.history"
    /usr/bin/python3 - "$folder/$language.history" "$language" "$1" "$2" <<'END'
import sys
rows = [line.split() for line in open(sys.argv[1])]
places = [(log, int(sequence)) for log, sequence, _, _ in rows]
logs = list(dict.fromkeys(log for log, _ in places))
rising = sorted(set(places), key=lambda place: (logs.index(place[0]), place[1]))
counts = [len({order for _, _, what, order in rows if what == kind}) for kind in ("ORDER_FOUND", "DELIVERY_SUCCEEDED")]
print(f"{sys.argv[3]}: the {sys.argv[2]} client has {len(rows)} events of {len(logs)} log(s), {counts[1]} orders")
if places != rising or counts != [int(sys.argv[4])] * 2:
    sys.exit(f"not as it should be: {counts} {rows}")
END
  done
}
same() { # all histories are the same
  local language
  for language in "${languages[@]}"; do
    cmp "$folder/$language.history" "$folder/${languages[0]}.history"
  done
}

printf 'a-secret-of-the-test\n' >"$folder/secret"
printf 'admin-key\n' >"$folder/key"
start odoo "$bin/odoo_sim" --databases shop --orders-per-second 0
odoo=$address
start receiver "$bin/receiver" --secret-file "$folder/secret"
receiver=$address
start_pollerd
listen=$address # where it comes back after each stop

settings=(--name shop --url "http://$odoo" --database shop --username admin --api-key-file "$folder/key"
  --webhook-url "http://$receiver/hook" --webhook-secret-file "$folder/secret")
client "${languages[0]}" add "${settings[@]}"
"${command[@]}" | grep -q "1 shop http://$odoo"
printf 'wrong\n' >"$folder/wrong"
for language in "${languages[@]}"; do
  client "$language" list
  [ "$("${command[@]}")" = "1 shop http://$odoo" ] || { echo "$language does not list the shop" >&2; exit 1; }
  client "$language" add "${settings[@]}"
  expect 'already.\?exists' NAME_TAKEN
  client "$language" add --name 7
  expect 'invalid.\?argument' INVALID_FIELDS '  connection.name: ' '  connection.odoo.url: ' '  connection.webhook.secret: '
  token=$folder/wrong
  client "$language" list
  expect unauthenticated TOKEN_INVALID
  token=$data/admin.token
done
echo "${#languages[@]} clients list, create and read errors"

"$bin/pollerctl" poll shop >/dev/null
for language in "${languages[@]}"; do follow "$language"; done
confirm 10
"$bin/pollerctl" poll shop >/dev/null
caught_up 1
"$bin/pollerctl" backup early.db >/dev/null 2>&1
kill_pollerd # in the middle of deliveries, perhaps
start_pollerd
confirm 10
"$bin/pollerctl" poll shop >/dev/null
kill_followers
confirm 5
settle
for language in "${languages[@]}"; do follow "$language"; done
stop_pollerd
start_pollerd
confirm 5
settle
caught_up 30
right "pollerd and clients killed" 30

# One that was never interrupted saw the same.
client go follow
"${command[@]/go.state/whole.state}" 2>"$folder/whole.log" &
followers[whole]=$!
pids+=("$!")
languages+=(whole)
caught_up 30
right "and one from the beginning" 30
same
echo "all of them have the same events"

# Another log: what was in it is not known, so the clients begin again with the orders as they are.
stop_pollerd
"$bin/pollerd" restore "$data/backups/early.db" --data-dir "$data" >"$folder/restore.out" 2>&1 || { cat "$folder/restore.out" >&2; exit 1; }
start_pollerd
for language in "${languages[@]}"; do
  for _ in $(seq 150); do
    grep -q LOG_CHANGED "$folder/$language.log" && continue 2
    sleep 0.2
  done
  echo "the $language client did not notice that the log is another one" >&2
  exit 1
done
confirm 5
settle
caught_up 35
right "after a restore" 35
stop_pollerd

# TLS, with the certificate of an authority that only --ca names.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/tls.key" -out "$folder/tls.pem" 2>/dev/null
pollerd_flags=(--tls-cert "$folder/tls.pem" --tls-key "$folder/tls.key")
start_pollerd
languages=(python node go)
POLLERCTL_SERVER=localhost:${address##*:}
for language in "${languages[@]}"; do
  reach=(--ca "$folder/tls.pem")
  client "$language" list
  [ "$("${command[@]}")" = "1 shop http://$odoo" ] || { echo "$language does not list over TLS" >&2; exit 1; }
  reach=()
  client "$language" list
  expect unavailable
done
echo "TLS: listed by all"
