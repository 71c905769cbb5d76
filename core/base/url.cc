#include "core/base/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxHost = 253;  // RFC 1035
constexpr std::size_t kMaxLabel = 63;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// The message never repeats the input: it may hold a password.
absl::Status Bad(std::string_view what) {
  std::string message(what);
  message +=
      "; expected a URL such as https://shop.example.com or https://shop.example.com:8443/path";
  return MakeStatus(absl::StatusCode::kInvalidArgument, message);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_'; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

absl::Status CheckCharacters(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F) return Bad("the URL has a space or a control character");
    if (byte >= 0x80) {
      return Bad(
          "the URL has a character outside ASCII (write a host name as xn--..., anything else as "
          "%XX)");
    }
    // Some parsers take it for a slash: two readers of one URL must not see two hosts.
    if (c == '\\') return Bad("the URL has a backslash");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckIpv6(std::string_view text) {
  in6_addr address;
  const std::string copy(text);
  if (inet_pton(AF_INET6, copy.c_str(), &address) != 1) return Bad("the IPv6 address is not valid");
  char canonical[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &address, canonical, sizeof canonical);
  return std::string(canonical);
}

absl::Status CheckLabel(std::string_view label) {
  if (label.empty()) return Bad("the host name has an empty part");
  if (label.size() > kMaxLabel) return Bad("a part of the host name is longer than 63 characters");
  if (!std::all_of(label.begin(), label.end(), IsNameChar))
    return Bad("the host name has a character that no name has");
  if (label.front() == '-' || label.back() == '-')
    return Bad("a part of the host name begins or ends with a hyphen");
  return absl::OkStatus();
}

// Resolvers read "127.1", "0x7f.1" and "2130706433" as addresses: only the plain form is taken as
// one.
bool LooksNumeric(std::string_view label) {
  return std::all_of(label.begin(), label.end(), IsDigit) || label.starts_with("0x");
}

absl::Status CheckName(const std::string& host) {
  if (host.size() > kMaxHost) return Bad("the host name is too long");
  std::string_view rest = host;
  std::string_view label;
  while (true) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    RETURN_IF_ERROR(CheckLabel(label));
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
  }
  in_addr address;
  if (LooksNumeric(label) && inet_pton(AF_INET, host.c_str(), &address) != 1) {
    return Bad("the IPv4 address is not valid");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return Bad("the port is not a number from 1 to 65535");
  }
  return port;
}

absl::Status ParseAuthority(std::string_view authority, Url& url) {
  if (authority.find('@') != authority.npos) {
    return Bad("the URL has a user name or password before the host: leave them out");
  }
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) return Bad("the IPv6 address has no closing bracket");
    ASSIGN_OR_RETURN(url.host, CheckIpv6(authority.substr(1, close - 1)));
    port = authority.substr(close + 1);
    has_port = !port.empty();
    if (has_port && port.front() != ':')
      return Bad("something follows the IPv6 address that is no port");
    if (has_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = Lower(authority.substr(0, colon));
    if (url.host.empty()) return Bad("the URL has no host");
    RETURN_IF_ERROR(CheckName(url.host));
    has_port = colon != authority.npos;
    if (has_port) port = authority.substr(colon + 1);
  }
  url.port = url.scheme == "https" ? kHttpsPort : kHttpPort;
  if (has_port) {
    ASSIGN_OR_RETURN(url.port, ParsePort(port));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Url::Origin() const {
  std::string out = scheme + "://";
  out += host.find(':') == host.npos ? host : "[" + host + "]";
  if (port != (scheme == "https" ? kHttpsPort : kHttpPort)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::Text() const { return Origin() + path; }

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.empty()) return Bad("the URL is empty");
  if (text.size() > kMaxUrl) return Bad("the URL is longer than 2048 characters");
  RETURN_IF_ERROR(CheckCharacters(text));
  const std::size_t separator = text.find("://");
  if (separator == text.npos) return Bad("the URL has no scheme");
  Url url;
  url.scheme = Lower(text.substr(0, separator));
  if (url.scheme != "http" && url.scheme != "https")
    return Bad("the scheme is neither http nor https");
  text.remove_prefix(separator + 3);
  if (text.find('#') != text.npos) return Bad("the URL has a fragment (#)");
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  RETURN_IF_ERROR(ParseAuthority(text.substr(0, end), url));
  url.path = text.substr(end);
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  return url;
}

}  // namespace poller
