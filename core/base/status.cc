#include "core/base/status.h"

#include <string>

#include "absl/strings/cord.h"

namespace poller {
namespace {

constexpr char kReasonUrl[] = "poller/reason";
constexpr char kFieldsUrl[] = "poller/fields";
// Separators that cannot stand in a field path or in a sanitised description.
constexpr char kFieldEnd = '\x1f';
constexpr char kRecordEnd = '\x1e';

}  // namespace

std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

std::string Describe(const absl::Status& status) {
  if (status.ok()) return "OK";
  return CodeName(status.code()) + ": " + std::string(Message(status));
}

absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, absl::string_view(message.data(), message.size()));
}

absl::Status AddContext(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  std::string message(context);
  message.append(": ").append(Message(status));
  absl::Status result = MakeStatus(status.code(), message);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

absl::Status WithReason(absl::Status status, std::string_view reason) {
  if (!status.ok())
    status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

std::optional<std::string> Reason(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

absl::Status InvalidFields(const std::vector<FieldViolation>& violations) {
  std::string message;
  std::string payload;
  for (const FieldViolation& violation : violations) {
    if (!message.empty()) message += "; ";
    message.append(violation.field).append(": ").append(violation.description);
    payload.append(violation.field).push_back(kFieldEnd);
    payload.append(violation.description).push_back(kRecordEnd);
  }
  absl::Status status = MakeStatus(absl::StatusCode::kInvalidArgument, message);
  status.SetPayload(kFieldsUrl, absl::Cord(payload));
  return WithReason(std::move(status), "INVALID_FIELD");
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const auto payload = status.GetPayload(kFieldsUrl);
  if (!payload.has_value()) return violations;
  const std::string text(*payload);
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t field_end = text.find(kFieldEnd, start);
    const std::size_t record_end = text.find(kRecordEnd, start);
    if (field_end == std::string::npos || record_end == std::string::npos) break;
    violations.push_back({text.substr(start, field_end - start),
                          text.substr(field_end + 1, record_end - field_end - 1)});
    start = record_end + 1;
  }
  return violations;
}

}  // namespace poller
