// Bearer tokens, stored as hashes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/secret.h"
#include "core/model/event.h"

namespace poller {

// In rising order: each may do what the one before may.
enum class Role { kViewer = 1, kOperator = 2, kAdmin = 3 };

struct Token {
  TokenId id;
  std::string name;
  Role role = Role::kViewer;
  absl::Time created_at;
  std::optional<absl::Time> revoked_at;
  std::optional<absl::Time> last_used_at;  // to about a minute; unset: never
};

struct CreatedToken {
  Token token;
  bool repeated = false;  // the same call made it before: the text given now is not its
};

// Thread-safe. Blocking.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // Stores the hash of `token` (random, at least 32 bytes of text). kAlreadyExists: a live token
  // has the name (reason NAME_TAKEN), or one, live or revoked, has that text (reason TOKEN_KNOWN), or
  // the request id was used for another request (reason REQUEST_ID_REUSED). A repeat with the same non-empty actor.request_id within 24 h gives the
  // token that the first call made, and stores nothing.
  virtual absl::StatusOr<CreatedToken> Create(const std::string& name, Role role,
                                              const Secret& token, const Actor& actor,
                                              absl::Time now) = 0;
  // kUnauthenticated: unknown or revoked.
  virtual absl::StatusOr<Token> Find(const Secret& token) = 0;
  // By id, ids greater than `after`; at most `limit`. Revoked ones too.
  virtual absl::StatusOr<std::vector<Token>> List(TokenId after, int limit) = 0;
  // A live token with the role of an administrator exists.
  virtual absl::StatusOr<bool> HasAdmin() = 0;
  // For ever. Revoking again changes nothing. kNotFound (reason TOKEN_NOT_FOUND);
  // kFailedPrecondition (reason LAST_ADMIN): nobody could make a token any more.
  virtual absl::StatusOr<Token> Revoke(TokenId id, const Actor& actor, absl::Time now) = 0;
  // Notes that it was used at `now`; never moves back. An unknown token is no error.
  virtual absl::Status RecordUse(TokenId id, absl::Time now) = 0;
};

}  // namespace poller
