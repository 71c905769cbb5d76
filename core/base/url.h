// The URLs that an operator gives us: http and https alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace poller {

struct Url {
  std::string scheme;  // "http" or "https", lower case
  std::string host;    // lower case; an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string path;  // with the query; begins with "/"; at least "/"

  // "https://shop.example:8443": what identifies a server. The default port is left out, IPv6 has
  // brackets.
  std::string Origin() const;
  // Origin and path.
  std::string Text() const;
  friend bool operator==(const Url&, const Url&) = default;
};

// Strict: a scheme is required, user information, fragments, spaces and control characters are
// refused, the host is a name, an IPv4 or a bracketed IPv6 address. kInvalidArgument says what is
// wrong and shows a right one.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace poller
