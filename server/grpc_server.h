// The listening side of gRPC.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/log.h"
#include "server/options.h"

namespace poller {

// Serves `services`, health and reflection on every address of the options. Thread-safe.
class GrpcServer {
 public:
  // kUnavailable names the address that cannot be listened on, why, and what to do.
  // kInvalidArgument: TLS files. Health begins as NOT_SERVING. `services` outlive the server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const Options& options, const std::vector<grpc::Service*>& services);
  ~GrpcServer();

  // As bound: "127.0.0.1:50051".
  const std::vector<std::string>& addresses() const { return addresses_; }
  // Sets the health of every service, and of the server.
  void SetServing(bool serving);
  // Takes no new calls, waits for those that run until `deadline`, and cancels the rest. Returns
  // when all have ended.
  void Shutdown(absl::Time deadline);

 private:
  GrpcServer() = default;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::string> addresses_;
};

// What gRPC itself has to say goes to our log, as debug: it speaks of every client that breaks off.
// Process-wide; `log` lives for ever.
void SendGrpcLogTo(Logger& log);

}  // namespace poller
