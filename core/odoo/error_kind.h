// What an error of Odoo means to who asked.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace poller::odoo {

// What an error of Odoo means to the caller. One table maps answers to these (odoo/error_table.h).
enum class ErrorKind {
  kCredentials,      // login or key refused, or the user is gone: suspend after two in a row
  kRights,           // the user may not read the model: suspend
  kRecord,           // one of the records asked for is forbidden or broken: split the batch
  kDatabaseMissing,  // the database's name is wrong
  kServerDown,       // Odoo or its database does not work just now; transport failures too
  kRateLimited,      // 429, or 503 with Retry-After
  kTooMuch,          // timed out or too large: ask for less
  kQuery,            // our question is at fault: an unknown field, model or method
  kProtocolGone,     // there is no such endpoint
  kGarbage,          // not an answer of Odoo
  kLocal,  // we could not ask, or not keep the answer: nothing is wrong with Odoo, ask again
};
// "credentials", "rights", ...: stable words.
std::string_view ErrorKindName(ErrorKind kind);
// Nothing if the status did not come from this folder.
std::optional<ErrorKind> ErrorKindOf(const absl::Status& status);
// kRateLimited: how long the server asks to wait, at most 1 h.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

// The error as a status whose code follows from the kind. `message` holds no secret. `retry_after`
// counts for kRateLimited alone and is cut to [0, 1 h].
absl::Status MakeError(ErrorKind kind, std::string_view message,
                       std::optional<absl::Duration> retry_after = std::nullopt);

}  // namespace poller::odoo
