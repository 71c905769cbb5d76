#!/usr/bin/env bash
# Builds everything and runs every check. Works on a fresh clone: installs what it needs (Debian packages, npm).
#   ./test.sh            all that CI runs
#   ./test.sh --quick    the everyday build and its tests alone
set -euo pipefail
cd "$(dirname "$0")"
. tests/deps.sh

quick=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  *) echo "usage: ./test.sh [--quick]" >&2; exit 2 ;;
esac

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

mkdir -p build
step "packages"
install_build_deps
install_packages "${test_packages[@]}"

step "build (dev)"
configure_and_build dev
step "tests (dev)"
ctest --preset dev --parallel "$(nproc)"
if $quick; then exit 0; fi

step "formatting"
git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run --Werror

step "headers stand on their own"
cmake --build build/dev --parallel "$(nproc)" --target all_verify_interface_header_sets

step "API: lint and reflection"
tests/e2e/api.sh

step "build (asan)"
configure_and_build asan
step "tests (asan)"
ctest --preset asan --parallel "$(nproc)" --label-exclude lint

step "build (tsan)"
configure_and_build tsan
step "tests (tsan)"
ctest --preset tsan --parallel "$(nproc)" --label-exclude 'lint|e2e'

step "done"
