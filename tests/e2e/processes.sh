# Sourced by demo.sh and the end-to-end tests: starts programs on free ports of 127.0.0.1 and ends what it started, by id.

folder=$(mktemp -d) # logs and data; removed at the end
pids=()             # every process to end

end_processes() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end_processes EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: runs it in the background with its log in the folder (NAME.log; what runs before it said: NAME.earlier.log), and
# waits for its "listening on" line. Sets `address` and `pid`; ends the script with the log if the program does not come up.
start() {
  local name=$1
  shift
  [ ! -e "$folder/$name.log" ] || cat "$folder/$name.log" >>"$folder/$name.earlier.log"
  : >"$folder/$name.log"
  "$@" 2>"$folder/$name.log" >"$folder/$name.out" &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 300); do
    address=$(sed -n 's/^listening on //p' "$folder/$name.log" | head -n 1)
    [ -n "$address" ] && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "$name did not start:" >&2
  cat "$folder/$name.log" >&2
  exit 1
}

post() { curl -fsS -X POST "$1" -d "$2" >/dev/null; }
get() { curl -fsS "$1"; }
# How many deliveries wait, as pollerd says; needs $bin and POLLERCTL_*.
waiting() { "$bin/pollerctl" status -o json | sed -n 's/.*"waitingCount": *"\([0-9]*\)".*/\1/p' | head -n 1; }
