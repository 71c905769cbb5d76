#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sun_path of sockaddr_un, with its terminator

absl::Status Bad(std::string_view what) {
  return MakeStatus(
      absl::StatusCode::kInvalidArgument,
      std::string(what) + "; expected HOST:PORT such as 127.0.0.1:50051, or unix:PATH");
}

}  // namespace

absl::StatusOr<ListenAddress> ListenAddress::Parse(std::string_view text) {
  ListenAddress address;
  if (text.starts_with("unix:")) {
    address.socket_path = text.substr(5);
    if (address.socket_path.empty()) return Bad("the path is missing");
    if (address.socket_path.size() > kMaxSocketPath)
      return Bad("the path is longer than 107 bytes");
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return Bad("the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return Bad("an IPv6 address needs brackets");
  }
  if (host.empty()) return Bad("the host is missing");
  address.host = host;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    return Bad("the port is not a number from 0 to 65535");
  }
  return address;
}

bool ListenAddress::IsLocal() const {
  if (IsUnix() || host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::Text(int bound_port) const {
  if (IsUnix()) return "unix:" + socket_path;
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(bound_port);
}

}  // namespace poller
