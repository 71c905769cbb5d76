#include "core/storage/secret_change.h"

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

absl::Status RotationRuns(const Connection& connection) {
  return WithReason(
      MakeStatus(absl::StatusCode::kFailedPrecondition,
                 "the secret of connection \"" + connection.settings.name +
                     "\" is being rotated until " + poller::FormatTime(connection.rotation->until) +
                     ": wait for it; or replace the new secret, if nobody received it; or rotate "
                     "with an overlap of 0, after which the newest secret alone counts"),
      "ROTATION_RUNS");
}

absl::Status NoRotationRuns(const Connection& connection) {
  return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                               "the secret of connection \"" + connection.settings.name +
                                   "\" is not being rotated: there is no new secret to replace"),
                    "NO_ROTATION_RUNS");
}

// The previous secret stays, and so does its end unless another one is given.
absl::StatusOr<std::string> Replace(Connection& connection, const SecretChange& change,
                                    absl::Time now) {
  if (!connection.IsRotating(now)) return NoRotationRuns(connection);
  if (change.overlap == absl::ZeroDuration()) {
    return InvalidFields(
        {{"overlap", "must not be 0 where the previous secret is to go on counting"}});
  }
  if (change.secret == connection.settings.webhook.secret)
    return InvalidFields({{"secret", "is the present secret: give another one"}});
  if (change.secret == connection.rotation->previous) {
    return InvalidFields({{"secret",
                           "is the previous secret: to go back to it, rotate with an overlap of "
                           "0"}});
  }
  connection.settings.webhook.secret = change.secret;
  if (change.overlap) connection.rotation->until = now + *change.overlap;
  return std::string("rotated_again");
}

}  // namespace

absl::StatusOr<std::string> ChangeSecret(Connection& connection, const SecretChange& change,
                                         absl::Time now) {
  if (change.again) return Replace(connection, change, now);
  if (!change.overlap) return InvalidFields({{"overlap", "is missing"}});
  Secret& present = connection.settings.webhook.secret;
  const bool at_once = *change.overlap == absl::ZeroDuration();
  if (connection.IsRotating(now) && !at_once) return RotationRuns(connection);
  if (change.secret == present) {
    if (!at_once || !connection.IsRotating(now))
      return InvalidFields({{"secret", "is the present secret: give another one"}});
    connection.rotation.reset();
    return std::string("rotation_ended");
  }
  connection.rotation.reset();
  if (!at_once) connection.rotation = SecretRotation{present, now + *change.overlap};
  present = change.secret;
  return std::string(at_once ? "rotated_at_once" : "rotated");
}

}  // namespace poller
