#!/usr/bin/env bash
# The API must not break those who use it: compares the protos with the stored image of a state that was promised. What is added passes.
# usage: api_image.sh [--renew]      --renew stores the present state: at a release, or when a break is wanted and announced
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/deps.sh
install_buf
image=tests/data/api_image.binpb
if [ "${1:-}" = --renew ]; then
  "$buf" build proto --exclude-source-info -o "$image"
elif "$buf" breaking proto --against "$image"; then
  echo "buf breaking: clean"
else
  echo "This breaks clients of the API. If that is wanted: tests/e2e/api_image.sh --renew, and a line in CHANGELOG.md." >&2
  exit 1
fi
