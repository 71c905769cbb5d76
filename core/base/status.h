// Helpers around absl::Status: the only way our functions report errors.
//
// The code says what the caller should do, the message what happened in words for a person, and
// payloads carry what a program needs: a stable reason and the fields that are wrong. None of them
// ever holds a secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poller {

// Debian's abseil has its own string_view that does not convert: this is the one place that bridges
// it. Valid as long as `status`.
std::string_view Message(const absl::Status& status);
// "NOT_FOUND: no connection 7": for logs.
std::string Describe(const absl::Status& status);
// "NOT_FOUND".
std::string CodeName(absl::StatusCode code);

// absl::Status(code, message) from std types.
absl::Status MakeStatus(absl::StatusCode code, std::string_view message);
// The same error with "`context`: " before its message; payloads stay. OK stays OK.
absl::Status AddContext(const absl::Status& status, std::string_view context);

// A stable upper-case word for programs ("ETAG_MISMATCH"), documented in the API as ErrorReason.
absl::Status WithReason(absl::Status status, std::string_view reason);
std::optional<std::string> Reason(const absl::Status& status);

// A field of the input that is wrong. `field` is the path as the API names it ("odoo.url");
// `description` says what is wrong and what to do.
struct FieldViolation {
  std::string field;
  std::string description;
  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};
// kInvalidArgument that lists every violation in its message and as payload. `violations` must not
// be empty.
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);
// Empty if the status carries none.
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

namespace internal {
inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <class T>
absl::Status ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace internal

}  // namespace poller

#define POLLER_CONCAT_INNER(a, b) a##b
#define POLLER_CONCAT(a, b) POLLER_CONCAT_INNER(a, b)

// Leaves the function with the error of `expr` (Status or StatusOr), if it is one.
#define RETURN_IF_ERROR(expr)                                                    \
  do {                                                                           \
    auto&& poller_result = (expr);                                               \
    if (!poller_result.ok()) return ::poller::internal::ToStatus(poller_result); \
  } while (false)

// ASSIGN_OR_RETURN(auto value, Compute()); leaves the function with the error.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(POLLER_CONCAT(poller_status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                          \
  if (!tmp.ok()) return tmp.status();         \
  lhs = std::move(tmp).value()

// The same two inside coroutines.
#define CO_RETURN_IF_ERROR(expr)                                                    \
  do {                                                                              \
    auto&& poller_result = (expr);                                                  \
    if (!poller_result.ok()) co_return ::poller::internal::ToStatus(poller_result); \
  } while (false)

#define CO_ASSIGN_OR_RETURN(lhs, expr) \
  CO_ASSIGN_OR_RETURN_IMPL(POLLER_CONCAT(poller_status_or_, __LINE__), lhs, expr)
#define CO_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) co_return tmp.status();         \
  lhs = std::move(tmp).value()
