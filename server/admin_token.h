// The token of the administrator who owns the data folder: `admin.token`.
#pragma once

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random_source.h"
#include "core/storage/token_store.h"
#include "server/options.h"

namespace poller {

// Sees to it that somebody can get in. Where no live administrator's token is stored, stores the one
// in the token file, which is made if it is missing; if the file's cannot be (it was revoked, or is
// somebody else's), a new one takes its place. Where one is stored, changes nothing, and warns if
// the file does not hold one: that may be what its owner wants, and `pollerd admin-token` is there
// for who does not. kFailedPrecondition: the file holds no token.
absl::Status EnsureAdminToken(const Options& options, TokenStore& tokens, RandomSource& random,
                              const Clock& clock, Logger& log);

// Makes a new administrator's token and writes it to the file, whatever the file holds. What was
// revoked stays so. kFailedPrecondition: the file holds a valid one already.
absl::Status RenewAdminToken(const Options& options, TokenStore& tokens, RandomSource& random,
                             const Clock& clock, Logger& log);

}  // namespace poller
