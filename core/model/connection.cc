#include "core/model/connection.h"

#include <algorithm>
#include <charconv>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"

namespace poller {
namespace {

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxSetting = 500;
constexpr int kMaxLast = 100000;

class Violations {
 public:
  void Add(std::string field, std::string description) {
    list_.push_back({std::move(field), std::move(description)});
  }
  void Check(bool ok, std::string field, std::string description) {
    if (!ok) Add(std::move(field), std::move(description));
  }
  absl::Status Result() const { return list_.empty() ? absl::OkStatus() : InvalidFields(list_); }

 private:
  std::vector<FieldViolation> list_;
};

bool IsPlainText(std::string_view text) {
  return IsValidUtf8(text) && SafeText(text, text.size() + 1) == text;
}

void CheckText(Violations& violations, const std::string& field, const std::string& value,
               bool required) {
  if (required && value.empty()) {
    violations.Add(field, "must not be empty");
  } else if (value.size() > kMaxSetting) {
    violations.Add(field, "is longer than 500 bytes");
  } else if (!IsPlainText(value)) {
    violations.Add(field, "must be text without control characters");
  }
}

void CheckUrl(Violations& violations, const std::string& field, const std::string& value) {
  const auto url = ParseUrl(value);
  if (!url.ok()) violations.Add(field, std::string(Message(url.status())));
}

void CheckSecret(Violations& violations, const std::string& field, const Secret& secret) {
  if (std::string fault = SecretFault(secret); !fault.empty())
    violations.Add(field, std::move(fault));
}

void CheckRange(Violations& violations, const std::string& field, absl::Duration value,
                absl::Duration low, absl::Duration high) {
  if (value < low || value > high) {
    violations.Add(field, "must be between " + poller::FormatDuration(low) + " and " +
                              poller::FormatDuration(high) + ", not " +
                              poller::FormatDuration(value));
  }
}

}  // namespace

std::string NameFault(const std::string& name) {
  const bool digits =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (name.empty()) return "must not be empty";
  if (name.size() > kMaxName) return "is longer than 100 bytes";
  if (!IsPlainText(name)) return "must be text without control characters";
  if (digits) return "must not consist of digits alone: it would be taken for an id";
  return {};
}

// It goes into a header or a JSON text.
std::string SecretFault(const Secret& secret) {
  if (secret.empty()) return "must not be empty";
  if (secret.size() > kMaxSetting) return "is longer than 500 bytes";
  if (!IsPlainText(secret.Reveal())) return "must be one line of text without control characters";
  return {};
}

std::vector<Secret> Connection::SigningSecrets(absl::Time now) const {
  std::vector<Secret> secrets = {settings.webhook.secret};
  if (IsRotating(now)) secrets.push_back(rotation->previous);
  return secrets;
}

const Secret& Connection::HeaderSecret(absl::Time now) const {
  return IsRotating(now) ? rotation->previous : settings.webhook.secret;
}

absl::StatusOr<StartFrom> StartFrom::Parse(std::string_view text) {
  StartFrom start;
  if (text == "now" || text.empty()) return start;
  if (text == "beginning") {
    start.kind = Kind::kBeginning;
    return start;
  }
  if (text.starts_with("last:")) {
    const std::string_view digits = text.substr(5);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), start.last);
    if (error == std::errc() && end == digits.data() + digits.size() && start.last > 0 &&
        start.last <= kMaxLast) {
      start.kind = Kind::kLast;
      return start;
    }
  } else if (const auto time = ParseTime(text); time.ok()) {
    start.kind = Kind::kTime;
    start.time = *time;
    return start;
  }
  return absl::InvalidArgumentError(
      "must be now, beginning, last:N (N from 1 to 100000), or a time such as "
      "2026-01-31T00:00:00Z");
}

std::string StartFrom::Text() const {
  switch (kind) {
    case Kind::kNow:
      return "now";
    case Kind::kBeginning:
      return "beginning";
    case Kind::kLast:
      return "last:" + std::to_string(last);
    case Kind::kTime:
      return poller::FormatTime(time);
  }
  return "now";
}

absl::Status ConnectionSettings::Validate() const {
  Violations violations;
  if (std::string fault = NameFault(name); !fault.empty()) violations.Add("name", std::move(fault));
  CheckText(violations, "external_id", external_id, /*required=*/false);
  CheckUrl(violations, "odoo.url", odoo.url);
  CheckText(violations, "odoo.database", odoo.database, /*required=*/true);
  CheckText(violations, "odoo.username", odoo.username, /*required=*/true);
  CheckSecret(violations, "odoo.api_key", odoo.api_key);
  // Slower, and a pass could not end in the time that a stop has for it.
  violations.Check(odoo.rate == 0 || (odoo.rate >= 0.1 && odoo.rate <= 1000), "odoo.rate",
                   "must be 0 (the server's default), or between 0.1 and 1000 calls a second");
  CheckUrl(violations, "webhook.url", webhook.url);
  CheckSecret(violations, "webhook.secret", webhook.secret);
  CheckRange(violations, "interval", interval, absl::Seconds(5), absl::Hours(24));
  if (overlap != absl::ZeroDuration()) {
    CheckRange(violations, "overlap", overlap, absl::Seconds(10), absl::Hours(24));
  }
  CheckRange(violations, "line_interval", line_interval, absl::Seconds(5), absl::Hours(24));
  CheckRange(violations, "track_age", track_age, absl::Hours(24), absl::Hours(24 * 3650));
  return violations.Result();
}

}  // namespace poller
