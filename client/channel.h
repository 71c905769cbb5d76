// How the client reaches a server.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace poller::client {

inline constexpr const char* kDefaultServer = "127.0.0.1:50051";

struct ChannelOptions {
  std::string server = kDefaultServer;  // HOST, HOST:PORT, [IPv6]:PORT or unix:PATH
  bool insecure = false;                // plaintext also beyond this machine
  std::string ca_file;                  // PEM; empty: the system's authorities
  std::string cert_file, key_file;      // PEM; our own certificate, for mutual TLS
};

struct Target {
  std::string address;  // as gRPC takes it, with a port
  bool local = false;   // a loopback address or a Unix socket
};

// kInvalidArgument: not an address; says what one looks like.
absl::StatusOr<Target> ParseTarget(const std::string& server);

// Does not connect yet. Plaintext for local targets unless a TLS file is given, TLS for all others
// unless `insecure`. kInvalidArgument: the address or the combination of options; kNotFound: a file
// cannot be read.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options);

// The whole file; "-" is not special. kNotFound names the path and the reason.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace poller::client
