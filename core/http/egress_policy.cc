#include "core/http/egress_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

enum class Kind { kPublic, kLocal, kNever };

struct Range {
  const char* cidr;
  Kind kind;
  const char* what;
};

// IANA's special-purpose registries. The first that matches decides.
constexpr Range kRanges[] = {
    {"0.0.0.0/8", Kind::kNever, "unspecified"},
    {"10.0.0.0/8", Kind::kLocal, "private"},
    {"100.64.0.0/10", Kind::kLocal, "carrier-grade NAT"},
    {"127.0.0.0/8", Kind::kLocal, "loopback"},
    {"169.254.0.0/16", Kind::kNever, "link-local"},
    {"172.16.0.0/12", Kind::kLocal, "private"},
    {"192.0.0.0/24", Kind::kNever, "reserved"},
    {"192.0.2.0/24", Kind::kNever, "documentation"},
    {"192.88.99.0/24", Kind::kNever, "reserved"},
    {"192.168.0.0/16", Kind::kLocal, "private"},
    {"198.18.0.0/15", Kind::kNever, "benchmarking"},
    {"198.51.100.0/24", Kind::kNever, "documentation"},
    {"203.0.113.0/24", Kind::kNever, "documentation"},
    {"224.0.0.0/4", Kind::kNever, "multicast"},
    {"240.0.0.0/4", Kind::kNever, "reserved"},
    {"::/128", Kind::kNever, "unspecified"},
    {"::1/128", Kind::kLocal, "loopback"},
    {"::/96", Kind::kNever, "reserved"},
    {"64:ff9b:1::/48", Kind::kNever, "translated"},
    {"100::/64", Kind::kNever, "discard"},
    {"2001::/23", Kind::kNever, "reserved"},
    {"2001:db8::/32", Kind::kNever, "documentation"},
    {"3fff::/20", Kind::kNever, "documentation"},
    {"5f00::/16", Kind::kNever, "reserved"},
    // The metadata service of a large cloud stands inside the unique-local range.
    {"fd00:ec2::/32", Kind::kNever, "metadata"},
    {"fc00::/7", Kind::kLocal, "unique-local"},
    {"fe80::/10", Kind::kNever, "link-local"},
    {"fec0::/10", Kind::kNever, "site-local"},
    {"ff00::/8", Kind::kNever, "multicast"},
};

struct KnownRange {
  Cidr cidr;
  Kind kind;
  const char* what;
};

const std::vector<KnownRange>& KnownRanges() {
  static const auto* const ranges = [] {
    auto* made = new std::vector<KnownRange>;
    for (const Range& range : kRanges)
      made->push_back({Cidr::Parse(range.cidr).value(), range.kind, range.what});
    return made;
  }();
  return *ranges;
}

bool StartsWith(const IpAddress& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

IpAddress V4From(const IpAddress& address, std::size_t offset) {
  IpAddress v4;
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4, v4.bytes.begin());
  return v4;
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    "\"" + SafeText(text, 60) + "\" is not an IP address");
}

absl::StatusOr<IpAddress> IpAddress::FromSockaddr(const sockaddr* address) {
  IpAddress result;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(result.bytes.data(), &v4.sin_addr, 4);
    return result;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    result.v6 = true;
    std::memcpy(result.bytes.data(), &v6.sin6_addr, 16);
    return result;
  }
  return absl::InvalidArgumentError("not an internet address");
}

IpAddress IpAddress::Canonical() const {
  if (!v6) return *this;
  if (StartsWith(*this, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return V4From(*this, 12);
  if (StartsWith(*this, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return V4From(*this, 12);
  if (StartsWith(*this, {0x20, 0x02})) return V4From(*this, 2);
  return *this;
}

std::string IpAddress::Text() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  return text;
}

absl::StatusOr<Cidr> Cidr::Parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "\"" + SafeText(text, 60) + "\" " + std::string(why) +
                          ": expected a range such as 10.0.0.0/8 or fd00::/8");
  };
  const std::size_t slash = text.find('/');
  auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address.ok()) return bad("is not an address range");
  Cidr cidr;
  cidr.base = *address;
  const int bits = address->v6 ? 128 : 32;
  cidr.prefix = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), cidr.prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || cidr.prefix < 0 ||
        cidr.prefix > bits) {
      return bad("has no prefix length from 0 to " + std::to_string(bits));
    }
  }
  for (int bit = cidr.prefix; bit < bits; ++bit) {
    const int byte = cidr.base.bytes[static_cast<std::size_t>(bit / 8)];
    if ((byte >> (7 - bit % 8) & 1) != 0) return bad("has bits set behind its prefix");
  }
  return cidr;
}

bool Cidr::Contains(const IpAddress& address) const {
  if (address.v6 != base.v6) return false;
  for (int bit = 0; bit < prefix; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    if (((address.bytes[byte] ^ base.bytes[byte]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

absl::Status EgressPolicy::Check(const IpAddress& address, bool https) const {
  const IpAddress canonical = address.Canonical();
  const std::string text = canonical.Text();
  const auto& ranges = KnownRanges();
  const auto known = std::find_if(ranges.begin(), ranges.end(), [&](const KnownRange& range) {
    return range.cidr.Contains(canonical);
  });
  if (known == ranges.end()) {
    if (https || allow_http) return absl::OkStatus();
    return absl::PermissionDeniedError(
        text +
        " is a public address and plain http to it is not allowed: use https, or start "
        "pollerd with --egress-allow-http");
  }
  if (known->kind == Kind::kNever) {
    return absl::PermissionDeniedError(text + " is a " + known->what +
                                       " address, which is never called");
  }
  const bool allowed = std::any_of(allow.begin(), allow.end(),
                                   [&](const Cidr& cidr) { return cidr.Contains(canonical); });
  if (allowed) return absl::OkStatus();
  return absl::PermissionDeniedError(text + " is a " + known->what +
                                     " address, which is called only if pollerd is started with "
                                     "--egress-allow for its range");
}

}  // namespace poller
