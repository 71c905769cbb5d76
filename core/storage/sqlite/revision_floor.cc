#include "core/storage/sqlite/revision_floor.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/status.h"
#include "core/storage/sqlite/vault.h"

namespace poller {
namespace {

constexpr std::string_view kKey = "revision_floor";
constexpr std::int64_t kHighest = 2'000'000'000;  // 2083; leaves room below the largest int

}  // namespace

absl::StatusOr<int> ReadRevisionFloor(Database& db) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, FindMeta(db, kKey));
  int floor = 1;
  if (text) std::from_chars(text->data(), text->data() + text->size(), floor);
  return floor;
}

absl::Status WriteRevisionFloor(Database& db, int floor) {
  return WriteMeta(db, kKey, std::to_string(floor));
}

int RevisionFloorAt(absl::Time now) {
  const absl::Time epoch = absl::FromCivil(absl::CivilSecond(2020, 1, 1), absl::UTCTimeZone());
  return static_cast<int>(std::clamp<std::int64_t>(absl::ToInt64Seconds(now - epoch), 1, kHighest));
}

}  // namespace poller
