#!/usr/bin/env bash
# Builds everything and runs every check. Works on a fresh clone: installs what it needs (Debian packages, npm).
#   ./test.sh               all that CI runs
#   ./test.sh --quick       the build and its tests alone
#   ./test.sh --sanitizers  AddressSanitizer and UndefinedBehaviorSanitizer over all tests
set -euo pipefail
cd "$(dirname "$0")"
. tests/deps.sh

mode=all
case "${1:-}" in
  "") ;;
  --quick) mode=quick ;;
  --sanitizers) mode=sanitizers ;;
  *) echo "usage: ./test.sh [--quick | --sanitizers]" >&2; exit 2 ;;
esac

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

mkdir -p build
step "packages"
install_build_deps
install_packages "${test_packages[@]}"

if [ "$mode" = sanitizers ]; then
  step "build (asan)"
  configure_and_build asan
  step "tests (asan)"
  ctest --preset asan --parallel "$(nproc)" --label-exclude lint
  exit 0
fi

step "build (dev)"
configure_and_build dev
step "tests (dev)"
ctest --preset dev --parallel "$(nproc)"
[ "$mode" = quick ] && exit 0

step "formatting"
git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run --Werror

step "headers stand on their own"
cmake --build build/dev --parallel "$(nproc)" --target all_verify_interface_header_sets

step "API: lint, nothing broken, every RPC by reflection"
tests/e2e/api.sh
tests/e2e/api_image.sh
tests/e2e/every_rpc.sh

step "clients in Python, Node and Go"
tests/e2e/clients.sh

step "kill -9 under load"
tests/e2e/kill.sh build/dev 20

step "databases that are refused, a full disk, a clock that is set, old backups"
tests/e2e/refused.sh
tests/e2e/disk_full.sh
tests/e2e/clock.sh
tests/e2e/restore.sh

step "taking over from the Python poller"
tests/e2e/import.sh

step "done"
