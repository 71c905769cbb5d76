#include "core/polling/pass_verdict.h"

#include <algorithm>

#include "core/base/status.h"
#include "core/odoo/odoo_client.h"

namespace poller {
namespace {

constexpr std::string_view kSettingsChanged = "SETTINGS_CHANGED";
constexpr std::string_view kStopping = "STOPPING";
constexpr std::string_view kHeld = "HELD";
constexpr absl::Duration kDefaultRetryAfter = absl::Seconds(60);
// Until others have given back memory or sockets.
constexpr absl::Duration kLocalWait = absl::Seconds(10);

PassVerdict Suspended(std::string reason, const absl::Status& end, std::string_view advice) {
  PassVerdict verdict;
  verdict.suspend_reason = std::move(reason);
  verdict.suspend_message = std::string(Message(end)).append(" — ").append(advice);
  return verdict;
}

PassVerdict JudgeOdoo(odoo::ErrorKind kind, const absl::Status& end, bool refused_before) {
  PassVerdict verdict;
  switch (kind) {
    case odoo::ErrorKind::kCredentials:
      if (refused_before) {
        verdict = Suspended(
            "credentials", end,
            "check the user name and the API key in Odoo (a key may have expired), then edit the "
            "connection");
      }
      verdict.credentials_refused = true;
      return verdict;
    case odoo::ErrorKind::kRights:
      return Suspended(
          "rights", end,
          "give the user read access to sale orders, their lines, partners and products, then test "
          "the connection");
    case odoo::ErrorKind::kRateLimited:
      verdict.hold = odoo::RetryAfterOf(end).value_or(kDefaultRetryAfter);
      return verdict;
    case odoo::ErrorKind::kLocal:
      verdict.hold = kLocalWait;
      return verdict;
    case odoo::ErrorKind::kQuery:
      if (Reason(end) == "fields") {
        return Suspended(
            "fields", end,
            "the Sales app must be installed, and the user allowed to read these fields");
      }
      break;
    case odoo::ErrorKind::kRecord:
    case odoo::ErrorKind::kDatabaseMissing:
    case odoo::ErrorKind::kServerDown:
    case odoo::ErrorKind::kTooMuch:
    case odoo::ErrorKind::kProtocolGone:
    case odoo::ErrorKind::kGarbage:
      break;
  }
  verdict.breaker = BreakerEffect::kFailure;
  return verdict;
}

}  // namespace

PassVerdict JudgePass(const absl::Status& end, bool credentials_refused_before) {
  PassVerdict verdict;
  if (end.ok()) {
    verdict.breaker = BreakerEffect::kSuccess;
    return verdict;
  }
  const auto kind = odoo::ErrorKindOf(end);
  if (kind.has_value()) return JudgeOdoo(*kind, end, credentials_refused_before);
  verdict.credentials_refused = credentials_refused_before;  // says nothing about them
  return verdict;
}

bool IsInterruption(const absl::Status& end) {
  if (odoo::ErrorKindOf(end).has_value()) return false;
  const auto reason = Reason(end);
  return absl::IsNotFound(end) || reason == kSettingsChanged || reason == kStopping ||
         reason == kHeld;
}

absl::Status StoppingError() {
  return WithReason(absl::UnavailableError("the server is stopping"), kStopping);
}

absl::Status SettingsChangedError() {
  return WithReason(absl::AbortedError("the connection was edited meanwhile; try again"),
                    kSettingsChanged);
}

absl::Status DiskFullError() {
  return WithReason(
      absl::UnavailableError("the server's disk is nearly full, so that nothing is polled: make "
                             "room, or lower --min-free-disk"),
      "DISK_LOW");
}

absl::Status HeldError() {
  return WithReason(absl::UnavailableError("the connection is not polled at present"), kHeld);
}

std::string FailureClass(const absl::Status& end) {
  if (end.ok()) return "ok";
  if (const auto kind = odoo::ErrorKindOf(end); kind.has_value()) {
    return std::string(odoo::ErrorKindName(*kind));
  }
  return "store";
}

absl::Duration NextStart(absl::Duration start, absl::Duration now, absl::Duration interval,
                         double jitter, double unit) {
  const absl::Duration step = interval * (1 + jitter * (2 * unit - 1));
  const absl::Duration late = now - start;
  if (late < step) return start + step;
  // The ticks in between are gone: a slow Odoo gets its rest, and never two passes for one.
  return start + step * (absl::Floor(late, step) / step + 1);
}

}  // namespace poller
