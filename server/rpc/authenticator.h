// Who is calling.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"
#include "core/storage/token_store.h"

namespace poller::rpc {

// The token of an authorization header ("Bearer TOKEN"). kUnauthenticated: TOKEN_MISSING if the
// header is empty, TOKEN_INVALID if it is of another form.
absl::StatusOr<Secret> BearerToken(std::string_view authorization);

// Looks tokens up. A found one is believed for kTrust without asking the store again, so that a
// busy client costs no reads; a revoked one works no longer than that. Thread-safe. Collaborators
// outlive it.
class Authenticator {
 public:
  static constexpr absl::Duration kTrust = absl::Seconds(5);

  Authenticator(TokenStore& store, const Clock& clock, RandomSource& random);

  // Blocking: call through Offload. kUnauthenticated (reason TOKEN_INVALID): unknown or revoked.
  // Other errors are the store's.
  absl::StatusOr<Token> Authenticate(const Secret& token);

 private:
  struct Known {
    Token token;
    absl::Duration until;  // monotonic
  };
  TokenStore& store_;
  const Clock& clock_;
  // Keys of the cache are digests under a random key: memory holds no token longer than its call.
  const Secret digest_key_;
  absl::Mutex mu_;
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::rpc
