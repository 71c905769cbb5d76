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
};

// Thread-safe. Blocking.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // Stores the hash of `token` (random, at least 32 bytes of text). kAlreadyExists: a live token
  // has the name.
  virtual absl::StatusOr<Token> Create(const std::string& name, Role role, const Secret& token,
                                       const Actor& actor, absl::Time now) = 0;
  // kUnauthenticated: unknown or revoked.
  virtual absl::StatusOr<Token> Find(const Secret& token) = 0;
  virtual absl::StatusOr<std::vector<Token>> List() = 0;
};

}  // namespace poller
