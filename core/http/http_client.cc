#include "core/http/http_client.h"

#include <array>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "core/base/status.h"

namespace poller {
namespace {

constexpr char kFailurePayload[] = "poller/transport_failure";

constexpr std::array kFailures = {
    TransportFailure::kDns,          TransportFailure::kConnect,   TransportFailure::kTls,
    TransportFailure::kEgressDenied, TransportFailure::kExhausted, TransportFailure::kCancelled,
    TransportFailure::kTimeout,      TransportFailure::kReset,     TransportFailure::kTooLarge,
    TransportFailure::kOverloaded,   TransportFailure::kProtocol,
};

absl::StatusCode CodeOf(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kEgressDenied:
      return absl::StatusCode::kPermissionDenied;
    case TransportFailure::kCancelled:
      return absl::StatusCode::kCancelled;
    case TransportFailure::kTimeout:
      return absl::StatusCode::kDeadlineExceeded;
    case TransportFailure::kTooLarge:
    case TransportFailure::kExhausted:
    case TransportFailure::kOverloaded:
      return absl::StatusCode::kResourceExhausted;
    case TransportFailure::kDns:
    case TransportFailure::kConnect:
    case TransportFailure::kTls:
    case TransportFailure::kReset:
    case TransportFailure::kProtocol:
      break;
  }
  return absl::StatusCode::kUnavailable;
}

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

}  // namespace

std::optional<std::string_view> HttpResponse::Header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (SameName(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::string_view TransportFailureName(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kDns:
      return "dns";
    case TransportFailure::kConnect:
      return "connect";
    case TransportFailure::kTls:
      return "tls";
    case TransportFailure::kEgressDenied:
      return "egress_denied";
    case TransportFailure::kExhausted:
      return "exhausted";
    case TransportFailure::kCancelled:
      return "cancelled";
    case TransportFailure::kTimeout:
      return "timeout";
    case TransportFailure::kReset:
      return "reset";
    case TransportFailure::kTooLarge:
      return "too_large";
    case TransportFailure::kOverloaded:
      return "overloaded";
    case TransportFailure::kProtocol:
      return "protocol";
  }
  return "";
}

absl::Status TransportError(TransportFailure failure, std::string_view message) {
  absl::Status status = MakeStatus(CodeOf(failure), message);
  const std::string_view name = TransportFailureName(failure);
  status.SetPayload(kFailurePayload, absl::Cord(absl::string_view(name.data(), name.size())));
  return status;
}

std::optional<TransportFailure> TransportFailureOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kFailurePayload);
  if (!payload) return std::nullopt;
  const std::string word(*payload);
  for (const TransportFailure failure : kFailures) {
    if (TransportFailureName(failure) == word) return failure;
  }
  return std::nullopt;
}

bool IsOurFailure(TransportFailure failure) {
  return failure == TransportFailure::kExhausted || failure == TransportFailure::kOverloaded ||
         failure == TransportFailure::kCancelled;
}

bool MayHaveBeenReceived(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kDns:
    case TransportFailure::kConnect:
    case TransportFailure::kTls:
    case TransportFailure::kEgressDenied:
    case TransportFailure::kExhausted:
      return false;
    case TransportFailure::kCancelled:
    case TransportFailure::kTimeout:
    case TransportFailure::kReset:
    case TransportFailure::kTooLarge:
    case TransportFailure::kOverloaded:
    case TransportFailure::kProtocol:
      break;
  }
  return true;
}

}  // namespace poller
