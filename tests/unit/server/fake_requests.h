// The outside of a database: answers by request.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "core/storage/request_store.h"

namespace poller {

class FakeRequests final : public RequestStore {
 public:
  absl::StatusOr<std::optional<std::string>> Find(const std::string& kind, const Actor& actor,
                                                  absl::Time) override {
    if (!failure.ok()) return failure;
    const auto found = answers.find(KeyOf(kind, actor));
    if (found == answers.end()) return std::nullopt;
    return found->second;
  }
  absl::Status Keep(const std::string& kind, const Actor& actor, const std::string& answer,
                    absl::Time) override {
    if (!failure.ok()) return failure;
    answers[KeyOf(kind, actor)] = answer;
    return absl::OkStatus();
  }

  static std::string KeyOf(const std::string& kind, const Actor& actor) {
    return kind + " " + std::to_string(actor.token.value()) + " " + actor.request_id;
  }

  absl::StatusOr<int> Prune(absl::Time, int limit) override {
    const int removed = std::min(old, limit);
    old -= removed;
    return removed;
  }

  int old = 0;
  std::map<std::string, std::string> answers;
  absl::Status failure;
};

}  // namespace poller
