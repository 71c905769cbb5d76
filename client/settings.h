// The flags that every verb takes, and what they, the environment and the context come to.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "client/io.h"
#include "client/session.h"

namespace poller::client {

// As the user typed them; empty: not given.
struct GlobalFlags {
  std::string context, server, token_file, timeout, format, ca, cert, key;
  bool insecure = false;
  const CLI::App* app = nullptr;  // after AddGlobalFlags: knows which were given

  // `flag` ("--insecure") stands on the command line, be it with an empty value.
  bool Given(const std::string& flag) const { return app != nullptr && app->count(flag) > 0; }
};

// `flags` outlives `app`, and the other way round.
void AddGlobalFlags(CLI::App& app, GlobalFlags& flags);

// What names the server decides: flags (--server, --context), else the environment, else the
// current context, else the default. So the token and the certificates of a context go to its own
// server alone, unless the user names both. Single flags and variables are above what the context
// says; --context is above variables. kInvalidArgument: what is wrong, ready to be shown.
absl::StatusOr<GlobalOptions> Resolve(const GlobalFlags& flags, const Io& io);

// The same for a verb that needs no server: only the format is looked at.
absl::StatusOr<GlobalOptions> ResolveOffline(const GlobalFlags& flags);

}  // namespace poller::client
