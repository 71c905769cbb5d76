// Where pollerd serves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace poller {

struct ListenAddress {
  std::string host;         // without brackets; empty for a Unix socket
  std::uint16_t port = 0;   // 0: any free one
  std::string socket_path;  // not empty: a Unix socket

  // "127.0.0.1:50051", "[::1]:50051", "localhost:0", "unix:/run/pollerd.sock". kInvalidArgument
  // shows a right one.
  static absl::StatusOr<ListenAddress> Parse(std::string_view text);
  bool IsUnix() const { return !socket_path.empty(); }
  // Only processes of this machine can reach it. A host name other than localhost is taken as
  // foreign.
  bool IsLocal() const;
  // As Parse reads it, with `bound_port` in place of the port.
  std::string Text(int bound_port) const;
};

}  // namespace poller
