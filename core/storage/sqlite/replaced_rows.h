// What a restore takes over from the database that it replaces: what became worthless after the
// backup must not count again.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/connection.h"
#include "core/storage/sqlite/restore.h"
#include "core/storage/sqlite/vault.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

struct ReplacedSecrets {
  struct KnownToken {
    std::string name;
    std::string hash;
    absl::Time at;  // of its revocation, or of its creation
  };
  std::vector<KnownToken> revoked;
  std::vector<KnownToken> admins;  // that are not revoked
  std::vector<Connection> connections;
};
// kPermissionDenied: its key is another; any other error: it cannot be read, or its schema is not
// ours.
absl::StatusOr<ReplacedSecrets> ReadReplacedSecrets(Database& db, const Vault& vault);

// In the rows of the backup. Tokens that were revoked since are revoked again; should that leave no
// administrator, those of the replaced database are added. A connection whose settings were changed
// since keeps the newer secret of its webhooks, with a rotation that runs, but never for another
// receiver than it was made for. Fills in RestoreReport::revoked, secrets_kept and secrets_old.
absl::Status KeepNewerSecrets(Database& db, const Vault& vault, const ReplacedSecrets& replaced,
                              RestoreReport& report);

}  // namespace poller
