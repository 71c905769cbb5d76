// Which calls of which token are under way, and how many may be.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/storage/token_store.h"

namespace poller::rpc {

class CallState;

// Thread-safe.
class TokenCalls {
 public:
  struct Limits {
    int calls = 100;     // unary calls of one token at a time
    int streams = 1000;  // streams of one token at a time
  };
  // Ends the place of a call when it is destroyed; the last copy counts.
  using Place = std::shared_ptr<void>;

  explicit TokenCalls(const Limits& limits) : limits_(limits) {}

  // kResourceExhausted (reason TOO_MANY_CALLS or TOO_MANY_STREAMS, metadata `limit`): the token has
  // as many under way as it may.
  absl::StatusOr<Place> EnterCall(TokenId token);
  absl::StatusOr<Place> EnterStream(TokenId token, std::shared_ptr<CallState> state);
  // Ends the token's streams with `status`.
  void EndStreams(TokenId token, const absl::Status& status);

 private:
  struct Client {
    int calls = 0;
    std::set<std::shared_ptr<CallState>> streams;
  };
  // Shared with the places, which may outlive this.
  struct Clients {
    absl::Mutex mu;
    std::map<TokenId, Client> all ABSL_GUARDED_BY(mu);
    void Leave(TokenId token, const std::function<void(Client&)>& leave);
  };
  const Limits limits_;
  const std::shared_ptr<Clients> clients_ = std::make_shared<Clients>();
};

}  // namespace poller::rpc
