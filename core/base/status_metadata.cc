#include "core/base/status_metadata.h"

#include <cstddef>

#include "absl/strings/cord.h"
#include "core/base/text.h"

namespace poller {
namespace {

constexpr char kUrl[] = "poller/metadata";
// Separators that cannot stand in a value that was made safe.
constexpr char kPairEnd = '\x1e';
constexpr char kKeyEnd = '\x1f';
constexpr std::size_t kMaxValue = 200;

}  // namespace

absl::Status WithMetadata(absl::Status status, std::string_view key, std::string_view value) {
  if (status.ok()) return status;
  std::string all;
  if (const auto before = status.GetPayload(kUrl)) all = std::string(*before);
  all.append(key).push_back(kKeyEnd);
  all.append(SafeText(value, kMaxValue)).push_back(kPairEnd);
  status.SetPayload(kUrl, absl::Cord(all));
  return status;
}

std::map<std::string, std::string> Metadata(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  const auto payload = status.GetPayload(kUrl);
  if (!payload.has_value()) return metadata;
  const std::string text(*payload);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t key_end = text.find(kKeyEnd, start);
    const std::size_t pair_end = text.find(kPairEnd, start);
    if (key_end == std::string::npos || pair_end == std::string::npos) break;
    metadata[text.substr(start, key_end - start)] =
        text.substr(key_end + 1, pair_end - key_end - 1);
    start = pair_end + 1;
  }
  return metadata;
}

}  // namespace poller
