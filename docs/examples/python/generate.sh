#!/usr/bin/env bash
# Makes the Python code of the API. usage: generate.sh FOLDER
# Debian: protobuf-compiler protobuf-compiler-grpc python3-grpcio python3-protobuf
set -euo pipefail
out=${1:?usage: generate.sh FOLDER}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/../../../proto"
protoc -I . --python_out="$out" --grpc_out="$out" --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" \
  google/rpc/*.proto odoopoller/v1/*.proto
