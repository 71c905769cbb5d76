// What every call passes before its handler runs.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/log.h"
#include "server/rpc/access.h"
#include "server/rpc/authenticator.h"
#include "server/rpc/call.h"

namespace poller::rpc {

// Thread-safe. Collaborators outlive it.
class Gate {
 public:
  // Calls run on `calls`, those that last on `streams`: a stop waits for the first and cuts the
  // second.
  Gate(Authenticator& authenticator, TaskGroup& calls, TaskGroup& streams, Executor storage_pool,
       Logger& log)
      : authenticator_(authenticator),
        calls_(calls),
        streams_(streams),
        storage_pool_(std::move(storage_pool)),
        log_(log) {}

  // Calls are let in from Open to Close; else they get kUnavailable (reason DRAINING).
  void Open() { open_ = true; }
  void Close() { open_ = false; }
  // What lasts asks from time to time whether to go on.
  bool IsOpen() const { return open_; }

  // The caller, if its token is valid and has the role that `access` asks for.
  Task<absl::StatusOr<Call>> Admit(const Access& access, std::string authorization,
                                   std::shared_ptr<CallState> state);
  // kUnauthenticated when the token of this header stopped being valid: for calls that last.
  Task<absl::Status> Recheck(std::string authorization);
  // Notes how a call ended: our own faults as errors, the rest for those who look.
  void Ended(const Access& access, const Call& call, const absl::Status& status);

  TaskGroup& calls() { return calls_; }
  TaskGroup& streams() { return streams_; }

 private:
  Task<absl::StatusOr<Token>> Identify(std::string authorization);

  Authenticator& authenticator_;
  TaskGroup& calls_;
  TaskGroup& streams_;
  const Executor storage_pool_;
  Logger& log_;
  std::atomic<bool> open_ = false;
};

// The server stops: streams and calls end with it.
absl::Status Draining();

// The authorization header; empty if there is none, or more than one.
std::string AuthorizationOf(const grpc::ServerContextBase& context);

}  // namespace poller::rpc
