// The schema, and how an older one becomes it.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// Marks a file as ours: "OdPo".
inline constexpr int kApplicationId = 0x4f64506f;

// Step i (from 0) leads from schema version i to i + 1. A released step never changes.
std::span<const std::string_view> SchemaSteps();

absl::StatusOr<int> SchemaVersion(Database& db);
// Takes every step that is missing, each in a transaction of its own. kFailedPrecondition (reason
// NEWER_SCHEMA): the file has more steps than we know; nothing is changed.
absl::Status Migrate(Database& db, std::span<const std::string_view> steps);

}  // namespace poller
