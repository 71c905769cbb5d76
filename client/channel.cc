#include "client/channel.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "core/base/status.h"

namespace poller::client {
namespace {

constexpr std::string_view kDefaultPort = "50051";
constexpr int kMaxMessage =
    64 << 20;  // a page of 1,000 with long texts is larger than gRPC's 4 MiB
// A stream may be quiet for days: a server that is gone is noticed, and what stands between keeps the
// connection. The server allows a ping every 10 s.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 20'000;

absl::Status BadAddress(std::string_view server, std::string_view why) {
  return MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format(
          "\"{}\" is not an address of a server: {}. Write HOST:PORT, such as {}, or unix:PATH",
          server, why, kDefaultServer));
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool IsLoopback(std::string_view host) {
  const bool digits = std::all_of(host.begin(), host.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && digits);
}

}  // namespace

absl::StatusOr<Target> ParseTarget(const std::string& server) {
  if (server.starts_with("unix:")) {
    if (server.size() == 5) return BadAddress(server, "the path is missing");
    return Target{server, true};
  }
  if (server.find("://") != std::string::npos) return BadAddress(server, "it has a scheme");
  std::string_view host = server;
  std::string_view port = kDefaultPort;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return BadAddress(server, "the bracket is not closed");
    const std::string_view rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!rest.empty()) {
      if (rest[0] != ':') return BadAddress(server, "after the bracket comes a port");
      port = rest.substr(1);
    }
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    const std::size_t colon = host.find(':');
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.empty()) return BadAddress(server, "the host is missing");
  if (host.find_first_of("/ \t\r\n@") != std::string_view::npos)
    return BadAddress(server, "it has odd characters");
  if (!IsPort(port)) return BadAddress(server, "the port is not a number from 1 to 65535");
  const bool six = host.find(':') != std::string_view::npos;
  Target target;
  target.address = six ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  target.local = IsLoopback(host);
  return target;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file || file.bad() || (content.fail() && file.peek() != std::ifstream::traits_type::eof())) {
    return MakeStatus(
        absl::StatusCode::kNotFound,
        fmt::format("cannot read {}: {}", path, errno != 0 ? std::strerror(errno) : "not a file"));
  }
  return content.str();
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options) {
  ASSIGN_OR_RETURN(const Target target, ParseTarget(options.server));
  const bool tls_files =
      !options.ca_file.empty() || !options.cert_file.empty() || !options.key_file.empty();
  if (options.cert_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError("--cert and --key belong together");
  }
  if (options.insecure && tls_files) {
    return absl::InvalidArgumentError("--insecure excludes --ca, --cert and --key");
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  if (options.insecure || (target.local && !tls_files)) {
    return grpc::CreateCustomChannel(target.address, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions tls;
  if (!options.ca_file.empty()) {
    ASSIGN_OR_RETURN(tls.pem_root_certs, ReadFile(options.ca_file));
  }
  if (!options.cert_file.empty()) {
    ASSIGN_OR_RETURN(tls.pem_cert_chain, ReadFile(options.cert_file));
    ASSIGN_OR_RETURN(tls.pem_private_key, ReadFile(options.key_file));
  }
  return grpc::CreateCustomChannel(target.address, grpc::SslCredentials(tls), arguments);
}

}  // namespace poller::client
