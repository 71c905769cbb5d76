// Which addresses connections may reach.
//
// A URL in a connection is input: whoever may write it could otherwise make this machine call its
// own neighbours. The check runs on the address that is dialled, after DNS, so that a name cannot
// hide one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sockaddr;

namespace poller {

// An IPv4 or IPv6 address. IPv4-mapped (::ffff:a.b.c.d), translated (64:ff9b::/96) and 6to4
// (2002::/16) forms are unwrapped to the IPv4 address inside by `Canonical`.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // v4: the first four

  static absl::StatusOr<IpAddress> Parse(std::string_view text);
  // AF_INET and AF_INET6; anything else is kInvalidArgument.
  static absl::StatusOr<IpAddress> FromSockaddr(const sockaddr* address);
  IpAddress Canonical() const;
  std::string Text() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct Cidr {
  IpAddress base;
  int prefix = 0;
  // "10.0.0.0/8", "fd00::/8", or a single address. kInvalidArgument shows a right one; bits behind
  // the prefix must be 0.
  static absl::StatusOr<Cidr> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;
};

struct EgressPolicy {
  std::vector<Cidr>
      allow;  // loopback, private, unique-local and carrier-grade NAT ranges that may be reached
  bool allow_http = false;  // plain http to public addresses

  // OK if a connection to `address` may be made. Public addresses: yes over https. Loopback,
  // private and the like: only if in `allow` (then http too). Link-local, metadata, multicast,
  // unspecified, broadcast and reserved: never, `allow` or not. kPermissionDenied names the
  // address, its kind and the flag that would allow it.
  absl::Status Check(const IpAddress& address, bool https) const;
};

}  // namespace poller
