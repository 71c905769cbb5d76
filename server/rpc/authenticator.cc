#include "server/rpc/authenticator.h"

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller::rpc {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kMaxKnown = 1024;
constexpr std::size_t kMaxToken = 1024;
constexpr std::string_view kScheme = "bearer ";

absl::Status Refuse(std::string_view message, std::string_view reason) {
  return WithReason(MakeStatus(absl::StatusCode::kUnauthenticated, message), reason);
}

bool HasScheme(std::string_view authorization) {
  if (authorization.size() < kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) return false;
  }
  return true;
}

Secret RandomKey(RandomSource& random) {
  std::array<std::uint8_t, kDigestBytes> bytes;
  random.Fill(bytes);
  return Secret(std::string(bytes.begin(), bytes.end()));
}

}  // namespace

absl::Status TokenRefused() {
  return Refuse("the token is not known, or was revoked", "TOKEN_INVALID");
}

Secret MakeToken(RandomSource& random) {
  std::array<std::uint8_t, kDigestBytes> bytes;
  random.Fill(bytes);
  return Secret("poller_" + Base64UrlEncode(std::string(bytes.begin(), bytes.end())));
}

absl::StatusOr<Secret> BearerToken(std::string_view authorization) {
  if (authorization.empty()) {
    return Refuse("the call has no token: send the metadata authorization: Bearer TOKEN",
                  "TOKEN_MISSING");
  }
  if (!HasScheme(authorization))
    return Refuse("the authorization must be Bearer TOKEN", "TOKEN_INVALID");
  authorization.remove_prefix(kScheme.size());
  if (authorization.empty() || authorization.size() > kMaxToken)
    return Refuse("the token is not known", "TOKEN_INVALID");
  return Secret(std::string(authorization));
}

Authenticator::Authenticator(TokenStore& store, const Clock& clock, RandomSource& random)
    : store_(store), clock_(clock), digest_key_(RandomKey(random)) {}

absl::StatusOr<Token> Authenticator::Authenticate(const Secret& token) {
  const std::string digest = Blake2b(token.Reveal(), kDigestBytes, digest_key_.Reveal());
  const absl::Duration now = clock_.Monotonic();
  std::int64_t revocations = 0;
  {
    absl::MutexLock lock(&mu_);
    revocations = revocations_;
    const auto known = known_.find(digest);
    if (known != known_.end() && now < known->second.until) return known->second.token;
  }
  auto found = store_.Find(token);
  absl::MutexLock lock(&mu_);
  if (!found.ok()) {
    known_.erase(digest);
    if (found.status().code() != absl::StatusCode::kUnauthenticated) return found.status();
    return TokenRefused();
  }
  // It may have been revoked since it was read: the next call asks again.
  if (revocations != revocations_) return *found;
  // Only valid tokens get here, so that strangers cannot fill it; starting over is cheap.
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[digest] = {*found, now + kTrust};
  return *found;
}

void Authenticator::Forget(TokenId id) {
  absl::MutexLock lock(&mu_);
  ++revocations_;
  std::erase_if(known_, [id](const auto& entry) { return entry.second.token.id == id; });
  noted_.erase(id);
}

bool Authenticator::UseIsDue(TokenId id) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mu_);
  const auto [noted, first] = noted_.try_emplace(id, now);
  if (!first && now < noted->second + kUseStep) return false;
  noted->second = now;
  return true;
}

void Authenticator::NoteUse(TokenId id) { store_.RecordUse(id, clock_.Now()).IgnoreError(); }

}  // namespace poller::rpc
