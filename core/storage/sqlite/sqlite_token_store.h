// TokenStore on SQLite.
#pragma once

#include <string>
#include <vector>

#include "core/storage/sqlite/context.h"
#include "core/storage/token_store.h"

namespace poller {

class SqliteTokenStore final : public TokenStore {
 public:
  explicit SqliteTokenStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<CreatedToken> Create(const std::string& name, Role role, const Secret& token,
                                      const Actor& actor, absl::Time now) override;
  absl::StatusOr<Token> Find(const Secret& token) override;
  absl::StatusOr<std::vector<Token>> List(TokenId after, int limit) override;
  absl::StatusOr<bool> HasAdmin() override;
  absl::StatusOr<Token> Revoke(TokenId id, const Actor& actor, absl::Time now) override;
  absl::Status RecordUse(TokenId id, absl::Time now) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller
