// Text that comes from outside, made safe to store, log and show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/secret.h"

namespace poller {

// What we keep of a foreign text, in bytes (DESIGN: "2 KiB kept").
inline constexpr std::size_t kMaxForeignText = 2048;

// `text` as valid UTF-8 (each bad byte becomes U+FFFD), with control characters escaped (\n stays
// when `keep_newlines`, else it becomes "\\n"; others become \xNN, C1 controls too; line separators
// and marks that reorder text become \uNNNN). A longer result is cut on a character's edge and ends
// with "…", so that it has at most `max_bytes` bytes.
std::string SafeText(std::string_view text, std::size_t max_bytes = kMaxForeignText,
                     bool keep_newlines = false);
// Replaces every occurrence of each secret (those of 4 bytes and more) by "***", and what stands
// between "://" and "@" of a URL too. Do it before SafeText: escaping could hide a secret from the
// search.
std::string MaskSecrets(std::string_view text, const std::vector<Secret>& secrets);
// True if `text` is well-formed UTF-8: no overlong forms, no surrogates.
bool IsValidUtf8(std::string_view text);
// `text` with each bad byte replaced by U+FFFD and nothing else changed: content that is passed on,
// not shown.
std::string ToValidUtf8(std::string_view text);

// "90s", "5m", "1h", "7d", "1h30m", "250ms", "0"; a bare number other than 0 is refused.
// kInvalidArgument says what is accepted.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);
// The shortest such text, in whole milliseconds: "5m", "1h30m", "0s". Write poller::FormatDuration
// and poller::FormatTime: abseil has functions of the same names, which argument-dependent lookup
// finds too.
std::string FormatDuration(absl::Duration duration);
// "64KiB", "32MiB", "1GiB", "512" (bytes).
absl::StatusOr<std::int64_t> ParseBytes(std::string_view text);
std::string FormatBytes(std::int64_t bytes);
// RFC 3339 in UTC with milliseconds: "2026-01-15T10:31:02.120Z".
std::string FormatTime(absl::Time time);
// RFC 3339, or "YYYY-MM-DD" (midnight UTC), or "YYYY-MM-DD HH:MM:SS" (UTC).
absl::StatusOr<absl::Time> ParseTime(std::string_view text);
// Odoo's form, whole seconds, UTC: "2026-01-15 10:31:02". Odd input: kInvalidArgument.
absl::StatusOr<absl::Time> ParseOdooTime(std::string_view text);
// Truncated to the second, as Odoo does.
std::string FormatOdooTime(absl::Time time);
// The HTTP date of RFC 9110 (all three forms).
absl::StatusOr<absl::Time> ParseHttpDate(std::string_view text);

}  // namespace poller
