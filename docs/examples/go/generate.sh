#!/usr/bin/env bash
# Makes the Go code of the API: FOLDER/v1, the package "odoopoller/v1" of a module "odoopoller". usage: generate.sh FOLDER
# Debian: protobuf-compiler protoc-gen-go protoc-gen-go-grpc
set -euo pipefail
out=${1:?usage: generate.sh FOLDER}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/../../../proto"
options=(--go_opt=module=odoopoller --go-grpc_opt=module=odoopoller)
for proto in odoopoller/v1/*.proto; do
  options+=("--go_opt=M$proto=odoopoller/v1" "--go-grpc_opt=M$proto=odoopoller/v1")
done
protoc -I . --go_out="$out" --go-grpc_out="$out" "${options[@]}" odoopoller/v1/*.proto
