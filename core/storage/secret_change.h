// What becomes of the secret of a connection's webhooks when somebody changes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/secret.h"
#include "core/model/connection.h"

namespace poller {

struct SecretChange {
  ConnectionId id;
  std::int64_t expected_version = 0;  // 0: any
  Secret secret;                      // the new one
  // The previous one counts so long; zero: no more. Unset: until the rotation that runs ends.
  std::optional<absl::Duration> overlap;
  // Takes the place of the new secret of the rotation that runs, which nobody received.
  bool again = false;
};

// Changes the secret in `connection`, and gives a word for what was done, for the event: "rotated",
// "rotated_at_once", "rotated_again" or "rotation_ended". Pure. Looks at neither id nor version.
// kFailedPrecondition (reason ROTATION_RUNS): one runs, and the overlap is not zero; (reason
// NO_ROTATION_RUNS): `again`, and none does. kInvalidArgument (field "secret"): it is the present
// one, or the previous one with `again`; (field "overlap"): zero with `again`, unset without.
absl::StatusOr<std::string> ChangeSecret(Connection& connection, const SecretChange& change,
                                         absl::Time now);

}  // namespace poller
