// Who is calling.
#pragma once

#include <cstdint>
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

// kUnauthenticated (reason TOKEN_INVALID): the token is not known, or was revoked.
absl::Status TokenRefused();

// The token of an authorization header ("Bearer TOKEN"). kUnauthenticated: TOKEN_MISSING if the
// header is empty, TOKEN_INVALID if it is of another form.
absl::StatusOr<Secret> BearerToken(std::string_view authorization);

// A new token: "poller_" and 32 random bytes as text.
Secret MakeToken(RandomSource& random);

// Looks tokens up. A found one is believed for kTrust without asking the store again, so that a
// busy client costs no reads; one that is revoked behind our back works no longer than that.
// Thread-safe. Collaborators outlive it.
class Authenticator {
 public:
  static constexpr absl::Duration kTrust = absl::Seconds(5);
  static constexpr absl::Duration kUseStep = absl::Minutes(1);  // between two notes of its use

  Authenticator(TokenStore& store, const Clock& clock, RandomSource& random);

  // Blocking: call through Offload. kUnauthenticated (reason TOKEN_INVALID): unknown or revoked.
  // Other errors are the store's.
  absl::StatusOr<Token> Authenticate(const Secret& token);
  // The token was revoked: it is asked for again at once.
  void Forget(TokenId id);
  // True if this use of the token is to be noted with NoteUse: once a kUseStep.
  bool UseIsDue(TokenId id);
  // Blocking. That it fails loses a time of last use and nothing else.
  void NoteUse(TokenId id);

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
  // Rises with Forget: what was read before is not believed.
  std::int64_t revocations_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<TokenId, absl::Duration> noted_ ABSL_GUARDED_BY(mu_);  // monotonic
};

}  // namespace poller::rpc
