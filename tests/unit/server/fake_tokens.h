// The outside of a database: tokens that can be revoked, and a count of questions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/token_store.h"

namespace poller {

class FakeTokens final : public TokenStore {
 public:
  absl::StatusOr<CreatedToken> Create(const std::string&, Role, const Secret&, const Actor&,
                                      absl::Time) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<Token> Find(const Secret& token) override {
    ++questions;
    if (!failure.ok()) return failure;
    if (while_reading) while_reading();
    const auto found = tokens.find(token.Reveal());
    if (found == tokens.end()) return absl::UnauthenticatedError("unknown");
    return found->second;
  }
  absl::StatusOr<std::vector<Token>> List(TokenId, int) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<bool> HasAdmin() override { return absl::UnimplementedError(""); }
  absl::StatusOr<Token> Revoke(TokenId, const Actor&, absl::Time) override {
    return absl::UnimplementedError("");
  }
  absl::Status RecordUse(TokenId id, absl::Time now) override {
    uses.emplace_back(id, now);
    return failure;
  }

  std::map<std::string, Token> tokens;
  absl::Status failure;
  int questions = 0;
  std::vector<std::pair<TokenId, absl::Time>> uses;
  std::function<void()> while_reading;
};

}  // namespace poller
