#include "core/http/egress_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/base/status.h"
#include "fmt/format.h"

namespace poller {
namespace {

enum class Rule { kIfAllowed, kNever };

// A range that is not plain public, in the order in which they are tried. Sources: the IANA
// special-purpose address registries, and the metadata services of the large clouds.
struct SpecialRange {
  std::string_view range;
  std::string_view kind;
  Rule rule;
};

constexpr SpecialRange kSpecial[] = {
    {"169.254.0.0/16", "a link-local or metadata address", Rule::kNever},
    {"168.63.129.16", "a metadata address", Rule::kNever},
    {"100.100.100.200", "a metadata address", Rule::kNever},
    {"192.0.0.0/24", "a reserved address", Rule::kNever},
    {"0.0.0.0/8", "an unspecified address", Rule::kNever},
    {"255.255.255.255", "a broadcast address", Rule::kNever},
    {"224.0.0.0/4", "a multicast address", Rule::kNever},
    {"240.0.0.0/4", "a reserved address", Rule::kNever},
    {"192.0.2.0/24", "a reserved address", Rule::kNever},
    {"198.51.100.0/24", "a reserved address", Rule::kNever},
    {"203.0.113.0/24", "a reserved address", Rule::kNever},
    {"192.88.99.0/24", "a reserved address", Rule::kNever},
    {"198.18.0.0/15", "a reserved address", Rule::kNever},
    {"127.0.0.0/8", "a loopback address", Rule::kIfAllowed},
    {"10.0.0.0/8", "a private address", Rule::kIfAllowed},
    {"172.16.0.0/12", "a private address", Rule::kIfAllowed},
    {"192.168.0.0/16", "a private address", Rule::kIfAllowed},
    {"100.64.0.0/10", "a carrier-grade NAT address", Rule::kIfAllowed},
    {"::1", "a loopback address", Rule::kIfAllowed},
    {"::", "an unspecified address", Rule::kNever},
    {"fd00:ec2::254", "a metadata address", Rule::kNever},
    {"fd20:ce::254", "a metadata address", Rule::kNever},
    {"fc00::/7", "a unique-local address", Rule::kIfAllowed},
    {"fe80::/10", "a link-local address", Rule::kNever},
    {"ff00::/8", "a multicast address", Rule::kNever},
    // Among them Teredo, which hides an IPv4 address, and the documentation ranges.
    {"2001::/23", "a reserved address", Rule::kNever},
    {"2001:db8::/32", "a reserved address", Rule::kNever},
    {"3fff::/20", "a reserved address", Rule::kNever},
};

// Everything public lies in here; the rest of IPv6 is reserved, or a tunnel that hides an IPv4
// address.
constexpr std::string_view kGlobalUnicast = "2000::/3";

// A range written in this file.
Cidr Literal(std::string_view text) { return Cidr::Parse(text).value(); }

struct Special {
  Cidr range;
  std::string_view kind;
  Rule rule;
};

const std::vector<Special>& SpecialRanges() {
  static const auto* const ranges = [] {
    auto* parsed = new std::vector<Special>;
    for (const SpecialRange& special : kSpecial) {
      parsed->push_back({Literal(special.range), special.kind, special.rule});
    }
    return parsed;
  }();
  return *ranges;
}

// What is special about `address`, which is canonical. Nothing: it is public.
std::optional<std::pair<std::string_view, Rule>> KindOf(const IpAddress& address) {
  for (const Special& special : SpecialRanges()) {
    if (special.range.Contains(address)) return std::pair(special.kind, special.rule);
  }
  static const Cidr global = Literal(kGlobalUnicast);
  if (address.v6 && !global.Contains(address)) return std::pair("a reserved address", Rule::kNever);
  return std::nullopt;
}

IpAddress V4(const std::uint8_t* bytes) {
  IpAddress address;
  std::copy_n(bytes, 4, address.bytes.begin());
  return address;
}

bool StartsWith(const IpAddress& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

absl::Status Denied(std::string message) {
  return MakeStatus(absl::StatusCode::kPermissionDenied, message);
}

absl::Status BadCidr(std::string_view what) {
  return MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("{}; expected a range such as 10.0.0.0/8, fd00::/8 or 192.168.1.20", what));
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string copy(text);
  IpAddress address;
  // c_str() would hide what stands behind a NUL.
  if (copy.find('\0') == copy.npos) {
    if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;
    address.v6 = true;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  }
  return MakeStatus(absl::StatusCode::kInvalidArgument, "not an IPv4 or IPv6 address");
}

absl::StatusOr<IpAddress> IpAddress::FromSockaddr(const sockaddr* address) {
  IpAddress out;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(out.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return out;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(out.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    out.v6 = true;
    return out;
  }
  return MakeStatus(absl::StatusCode::kInvalidArgument, "not an internet address");
}

IpAddress IpAddress::Canonical() const {
  if (!v6) return *this;
  if (StartsWith(*this, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return V4(bytes.data() + 12);
  if (StartsWith(*this, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return V4(bytes.data() + 12);
  }
  if (StartsWith(*this, {0x20, 0x02})) return V4(bytes.data() + 2);
  return *this;
}

std::string IpAddress::Text() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  return text;
}

absl::StatusOr<Cidr> Cidr::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::Parse(text.substr(0, slash));
  if (!base.ok()) return BadCidr("not an address range");
  Cidr cidr;
  cidr.base = *base;
  const int bits = base->v6 ? 128 : 32;
  cidr.prefix = bits;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), cidr.prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || cidr.prefix < 0 ||
        cidr.prefix > bits) {
      return BadCidr(fmt::format("the prefix length is not a number from 0 to {}", bits));
    }
  }
  for (int bit = cidr.prefix; bit < bits; ++bit) {
    const auto byte = cidr.base.bytes[static_cast<std::size_t>(bit / 8)];
    if ((byte >> (7 - bit % 8)) & 1) return BadCidr("the address has bits behind its prefix");
  }
  // Such addresses are compared as the IPv4 address inside: the range would never match.
  if (cidr.base.Canonical().v6 != cidr.base.v6) return BadCidr("write the range in its IPv4 form");
  return cidr;
}

bool Cidr::Contains(const IpAddress& address) const {
  const IpAddress canonical = address.Canonical();
  if (canonical.v6 != base.v6) return false;
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  canonical.bytes.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  if (rest == 0) return true;
  return (base.bytes[whole] ^ canonical.bytes[whole]) >> (8 - rest) == 0;
}

absl::Status EgressPolicy::Check(const IpAddress& address, bool https) const {
  const IpAddress canonical = address.Canonical();
  const auto special = KindOf(canonical);
  if (special && special->second == Rule::kNever) {
    return Denied(fmt::format("{} is {}, which is never called", address.Text(), special->first));
  }
  const bool allowed = std::any_of(allow.begin(), allow.end(),
                                   [&](const Cidr& cidr) { return cidr.Contains(canonical); });
  if (allowed) return absl::OkStatus();
  if (special) {
    return Denied(fmt::format(
        "{} is {}, which is called only if pollerd is started with --egress-allow for its range",
        address.Text(), special->first));
  }
  if (https || allow_http) return absl::OkStatus();
  return Denied(fmt::format(
      "{} is a public address and plain http to it is not allowed: use https, or start pollerd "
      "with --egress-allow-http",
      address.Text()));
}

}  // namespace poller
