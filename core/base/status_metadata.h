// What an error tells a program beside its reason: the id of what stands in the way, for example.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace poller {

// Adds a pair, which the API passes on as ErrorInfo.metadata. Never a secret; `value` is made safe
// and cut to 200 bytes. OK stays OK. Pure; thread-safe.
absl::Status WithMetadata(absl::Status status, std::string_view key, std::string_view value);
std::map<std::string, std::string> Metadata(const absl::Status& status);

}  // namespace poller
