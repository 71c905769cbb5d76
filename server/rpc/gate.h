// What every call passes before its handler runs.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "server/rpc/access.h"
#include "server/rpc/authenticator.h"
#include "server/rpc/call.h"
#include "server/rpc/once.h"
#include "server/rpc/wrong_tokens.h"

namespace poller::rpc {

// Who calls, as far as gRPC knows.
struct Caller {
  Caller(std::string header, std::string address, std::size_t size = 0)
      : authorization(std::move(header)), peer(std::move(address)), request_bytes(size) {}
  std::string authorization;  // the header; empty if there is none, or more than one
  std::string peer;           // "ipv4:127.0.0.1:40000", "unix:"
  std::size_t request_bytes;  // what gRPC holds for the call until it is answered
};
Caller CallerOf(const grpc::ServerContextBase& context, std::size_t request_bytes);

// Thread-safe. Collaborators outlive it.
class Gate {
 public:
  // Calls run on `calls`, those that last on `streams`: a stop waits for the first and cuts the
  // second.
  Gate(Authenticator& authenticator, Once& once, Sleeper& sleeper, const Clock& clock,
       TaskGroup& calls, TaskGroup& streams, Executor storage_pool, Logger& log,
       const TokenCalls::Limits& limits, absl::Duration longest_refusal)
      : authenticator_(authenticator),
        once_(once),
        sleeper_(sleeper),
        clock_(clock),
        calls_(calls),
        streams_(streams),
        storage_pool_(std::move(storage_pool)),
        log_(log),
        token_calls_(limits),
        wrong_tokens_(longest_refusal) {}

  // Calls are let in from Open to Close; else they get kUnavailable (reason DRAINING).
  void Open() { open_ = true; }
  void Close();
  // What lasts asks from time to time whether to go on.
  bool IsOpen() const { return open_; }

  // The caller, if its token is valid, has the role that `access` asks for, and does not have too
  // many calls under way. The refusal of a wrong token waits when there were many from there,
  // unless it would keep a large request in memory so long.
  Task<absl::StatusOr<Call>> Admit(const Access& access, Caller caller,
                                   std::shared_ptr<CallState> state);
  // kUnauthenticated when the token of this header stopped being valid: for calls that last.
  Task<absl::Status> Recheck(std::string authorization);
  // The token was revoked: its streams end, and it is refused from now on.
  void Revoked(TokenId token);
  // Notes how a call ended: our own faults as errors, the rest for those who look.
  void Ended(const Access& access, const Call& call, const absl::Status& status);

  Once& once() { return once_; }
  TaskGroup& calls() { return calls_; }
  TaskGroup& streams() { return streams_; }

 private:
  Task<absl::StatusOr<Token>> Identify(std::string authorization);
  void NoteUse(TokenId token);
  Task<void> Delay(Caller caller, std::shared_ptr<CallState> state);

  Authenticator& authenticator_;
  Once& once_;
  Sleeper& sleeper_;
  const Clock& clock_;
  TaskGroup& calls_;
  TaskGroup& streams_;
  const Executor storage_pool_;
  Logger& log_;
  TokenCalls token_calls_;
  WrongTokens wrong_tokens_;
  absl::Mutex mu_;
  std::set<std::shared_ptr<Wakeup>> delayed_ ABSL_GUARDED_BY(mu_);
  std::atomic<bool> open_ = false;
};

// The server stops: streams and calls end with it.
absl::Status Draining();

}  // namespace poller::rpc
