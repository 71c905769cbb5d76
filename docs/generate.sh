#!/usr/bin/env bash
# Writes docs/api.md anew from the comments of proto/ and the table of roles. With --check: says whether it is as it would be written.
# Debian: protobuf-compiler python3-protobuf
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
protoc -I proto --include_source_info --descriptor_set_out="$work/api.desc" proto/odoopoller/v1/*.proto
/usr/bin/python3 docs/generate_api.py "$work/api.desc" server/rpc/access.cc >"$work/api.md"
if [ "${1:-}" = --check ]; then
  diff -u docs/api.md "$work/api.md" || { echo "docs/api.md is stale: run docs/generate.sh" >&2; exit 1; }
else
  cp "$work/api.md" docs/api.md
fi
