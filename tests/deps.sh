# Sourced by demo.sh and test.sh: installs what the build or the tests need, if it is not there.
# Needs root or sudo only when something is missing.

build_packages=(
  build-essential cmake ninja-build ccache pkg-config
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev libgrpc-dev grpc-proto
  libabsl-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev prometheus-cpp-dev
  libcurl4-openssl-dev libsqlite3-dev libsodium-dev libssl-dev
  libgtest-dev libgmock-dev ca-certificates
)
# Bookworm's default Boost has no Boost.JSON; newer distributions have one under the plain name.
boost_packages=(libboost1.81-dev libboost-json1.81-dev)
test_packages=(python3 python3-protobuf openssl curl clang-format-19 zsh fish)

have_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || return 1
  done
}

install_packages() {
  have_packages "$@" && return 0
  if ! command -v apt-get >/dev/null; then
    echo "These Debian packages are needed and apt-get is not here: $*" >&2
    return 1
  fi
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Run this as root, or install: $*" >&2; return 1; }
    sudo=(sudo)
  fi
  echo "installing packages: $*" >&2
  "${sudo[@]}" apt-get -qq -o DPkg::Lock::Timeout=500 update >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=500 \
    install --no-install-recommends "$@" >&2
}

# Node's package manager, from Debian unless another one is there.
install_npm() { command -v npm >/dev/null || install_packages nodejs npm; }

# The linter and caller of gRPC APIs, from npm into build/npm. Sets `buf`.
install_buf() {
  buf=$PWD/build/npm/node_modules/.bin/buf
  [ -x "$buf" ] && return 0
  install_npm
  mkdir -p build/npm
  npm install --silent --no-fund --no-audit --prefix build/npm @bufbuild/buf@1.75.0
}

install_build_deps() {
  if ! have_packages "${boost_packages[@]}" && ! apt-cache show "${boost_packages[0]}" >/dev/null 2>&1; then
    # Nothing known of it: either no list was fetched yet, or the distribution has another version.
    if command -v apt-get >/dev/null; then
      [ "$(id -u)" -eq 0 ] && apt-get -qq update >&2 || sudo apt-get -qq update >&2
    fi
    apt-cache show "${boost_packages[0]}" >/dev/null 2>&1 || boost_packages=(libboost-dev libboost-json-dev)
  fi
  install_packages "${build_packages[@]}" "${boost_packages[@]}"
}

# configure_and_build PRESET [TARGET...]: quiet unless it fails or takes long enough for one to wonder.
configure_and_build() {
  local preset=$1
  shift
  cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || {
    cat "build/$preset.configure.log" >&2
    return 1
  }
  if [ $# -gt 0 ]; then
    cmake --build "build/$preset" --parallel "$(nproc)" --target "$@"
  else
    cmake --build "build/$preset" --parallel "$(nproc)"
  fi
}
