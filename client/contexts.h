// Named servers: what the user keeps in a file so as not to repeat it in flags.
//
//   current = 'prod'
//   [contexts.prod]
//   server = 'poller.example:50051'
//   token_file = '/home/me/prod.token'      a path: no secret is ever in this file
//   ca = '/home/me/poller-ca.pem'           also: cert, key, insecure = true
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace poller::client {

// Paths are absolute.
struct Context {
  std::string server;         // empty: the default
  std::string token_file;     // empty: no token is sent
  std::string ca, cert, key;  // PEM files; empty: as without the flags
  bool insecure = false;      // plaintext also to other machines
  friend bool operator==(const Context&, const Context&) = default;
};

struct Contexts {
  std::string current;  // empty: none
  std::map<std::string, Context> named;

  std::vector<std::string> Names() const;
  // kNotFound names those that are near.
  absl::StatusOr<Context> Get(const std::string& name) const;
};

using Environment = std::function<std::optional<std::string>(const std::string&)>;

// $XDG_CONFIG_HOME/pollerctl/config.toml, else that of ~/.config; empty: there is no home.
std::string ContextsPath(const Environment& env);

// 1 to 64 letters, digits, "-", "_" and "."; kInvalidArgument says so.
absl::Status CheckContextName(std::string_view name);

// `path` is where the text came from: relative paths in it begin there, and "~/" at `home`.
// kInvalidArgument: file, line, key, and what to do.
absl::StatusOr<Contexts> ParseContexts(std::string_view text, const std::string& path,
                                       const std::string& home);
std::string FormatContexts(const Contexts& contexts);

// A file that does not exist has no contexts. kInvalidArgument as above; kPermissionDenied: it
// cannot be read.
absl::StatusOr<Contexts> LoadContexts(const std::string& path, const std::string& home);
// Replaces the file as a whole, for its owner alone (0600); makes its folder. kInternal: path and
// reason, and the file is as it was.
absl::Status SaveContexts(const std::string& path, const Contexts& contexts);

}  // namespace poller::client
