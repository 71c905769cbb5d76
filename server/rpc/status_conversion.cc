#include "server/rpc/status_conversion.h"

#include "absl/strings/cord.h"
#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/base/text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace poller::rpc {
namespace {

constexpr std::string_view kDomain = "odoopoller";

// Trailers share the limit of 8 KiB that clients put on all metadata: one long message must not
// lose the details.
constexpr std::size_t kMaxMessage = 1024;
constexpr std::size_t kMaxViolations = 20;
constexpr std::size_t kMaxDescription = 200;

// Both enums follow the canonical codes.
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) ==
              grpc::StatusCode::UNAUTHENTICATED);
static_assert(static_cast<int>(absl::StatusCode::kOutOfRange) == grpc::StatusCode::OUT_OF_RANGE);

// The word for an error that came without one.
std::string_view DefaultReason(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_FIELDS";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
      return "STORAGE_BUSY";
    case absl::StatusCode::kCancelled:
      return "CANCELLED";
    case absl::StatusCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    default:
      return "INTERNAL";
  }
}

bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

std::string ReasonFor(const absl::Status& status) {
  const auto reason = Reason(status);
  if (!reason) return std::string(DefaultReason(status.code()));
  // Core speaks of one field, the API of all.
  return *reason == "INVALID_FIELD" ? "INVALID_FIELDS" : *reason;
}

google::rpc::BadRequest BadRequestOf(const std::vector<FieldViolation>& violations) {
  google::rpc::BadRequest bad;
  for (const FieldViolation& violation : violations) {
    if (static_cast<std::size_t>(bad.field_violations_size()) == kMaxViolations) break;
    auto* out = bad.add_field_violations();
    out->set_field(SafeText(violation.field, kMaxDescription));
    out->set_description(SafeText(violation.description, kMaxDescription));
  }
  return bad;
}

}  // namespace

absl::Status PrefixFields(const absl::Status& status, std::string_view prefix) {
  std::vector<FieldViolation> violations = FieldViolations(status);
  if (violations.empty()) return status;
  for (FieldViolation& violation : violations) violation.field.insert(0, prefix);
  return InvalidFields(violations);
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = IsOurFault(status.code())
                                  ? std::string("internal error; the server's log says more")
                                  : SafeText(Message(status), kMaxMessage);
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonFor(status));
  info.set_domain(std::string(kDomain));
  for (const auto& [key, value] : Metadata(status)) (*info.mutable_metadata())[key] = value;
  details.add_details()->PackFrom(info);
  const auto violations = FieldViolations(status);
  if (!violations.empty()) details.add_details()->PackFrom(BadRequestOf(violations));
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace poller::rpc
