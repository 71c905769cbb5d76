#include "core/odoo/error_kind.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "core/base/status.h"

namespace poller::odoo {
namespace {

constexpr char kKindUrl[] = "poller/odoo-error";
constexpr char kRetryAfterUrl[] = "poller/odoo-retry-after-ms";

struct KindInfo {
  ErrorKind kind;
  std::string_view name;
  absl::StatusCode code;
};
constexpr std::array kKinds = {
    KindInfo{ErrorKind::kCredentials, "credentials", absl::StatusCode::kUnauthenticated},
    KindInfo{ErrorKind::kRights, "rights", absl::StatusCode::kPermissionDenied},
    KindInfo{ErrorKind::kRecord, "record", absl::StatusCode::kFailedPrecondition},
    KindInfo{ErrorKind::kDatabaseMissing, "database_missing", absl::StatusCode::kNotFound},
    KindInfo{ErrorKind::kServerDown, "server_down", absl::StatusCode::kUnavailable},
    KindInfo{ErrorKind::kRateLimited, "rate_limited", absl::StatusCode::kResourceExhausted},
    KindInfo{ErrorKind::kTooMuch, "too_much", absl::StatusCode::kDeadlineExceeded},
    KindInfo{ErrorKind::kQuery, "query", absl::StatusCode::kInvalidArgument},
    KindInfo{ErrorKind::kProtocolGone, "protocol_gone", absl::StatusCode::kUnimplemented},
    KindInfo{ErrorKind::kGarbage, "garbage", absl::StatusCode::kInternal},
    KindInfo{ErrorKind::kLocal, "local", absl::StatusCode::kUnavailable},
};

const KindInfo& InfoOf(ErrorKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) { return InfoOf(kind).name; }

std::optional<ErrorKind> ErrorKindOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kKindUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string name(*payload);
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const KindInfo& info) { return info.name == name; });
  if (found == kKinds.end()) return std::nullopt;
  return found->kind;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfterUrl);
  if (!payload.has_value()) return std::nullopt;
  std::int64_t milliseconds = 0;
  if (!absl::SimpleAtoi(std::string(*payload), &milliseconds)) return std::nullopt;
  return absl::Milliseconds(milliseconds);
}

absl::Status MakeError(ErrorKind kind, std::string_view message,
                       std::optional<absl::Duration> retry_after) {
  const KindInfo& info = InfoOf(kind);
  absl::Status status = MakeStatus(info.code, message);
  status.SetPayload(kKindUrl, absl::Cord(std::string(info.name)));
  if (kind == ErrorKind::kRateLimited && retry_after.has_value()) {
    const absl::Duration wait = std::clamp(*retry_after, absl::ZeroDuration(), absl::Hours(1));
    status.SetPayload(kRetryAfterUrl, absl::Cord(std::to_string(absl::ToInt64Milliseconds(wait))));
  }
  return status;
}

}  // namespace poller::odoo
