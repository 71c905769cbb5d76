// Opens what a Fernet implementation sealed: the secrets of the Python poller.
// https://github.com/fernet/spec/blob/master/Spec.md
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/secret.h"

namespace poller {

// Keys of which each may have sealed a token. Thread-safe.
class FernetKeys {
 public:
  // 32 bytes in URL-safe base64, one key a line; blank lines and lines that begin with # are passed
  // over. kInvalidArgument names the line, never its content.
  static absl::StatusOr<FernetKeys> Parse(const Secret& text);

  // What the token holds. Its time counts for nothing: what is stored does not expire. Nothing is
  // decrypted before its signature was verified, in constant time.
  // kInvalidArgument: it is no Fernet token, or one of a newer version.
  // kPermissionDenied: no key of these signed it, or it was changed.
  // kDataLoss: it is signed, and what it holds is badly made.
  // No message holds anything of token or key.
  absl::StatusOr<Secret> Open(std::string_view token) const;

 private:
  struct Key {
    Secret signing;     // 16 bytes
    Secret encryption;  // 16 bytes
  };
  std::vector<Key> keys_;
};

}  // namespace poller
