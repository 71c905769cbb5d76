// The master keys, and values sealed by envelope encryption.
//
// A random data key seals the values (XChaCha20-Poly1305); the data key is itself sealed by the
// master key. Each sealed value is bound to its table, row and column as associated data: moved
// elsewhere it does not open.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"

namespace poller {

// 32 random bytes in URL-safe base64 with padding: the form of a Fernet key.
Secret GenerateMasterKey(RandomSource& random);

// Where a value stands. All three are part of what is authenticated.
struct SealContext {
  std::string_view table;
  std::string_view row;
  std::string_view column;
};

// Seals with one key and opens with it. Thread-safe.
class Aead {
 public:
  // `key` is 32 raw bytes.
  explicit Aead(Secret key);
  // version byte, nonce, ciphertext and tag. Twice the same text gives different results.
  std::string Seal(std::string_view plain, const SealContext& context, RandomSource& random) const;
  // kDataLoss: not sealed by this key for this place, or damaged.
  absl::StatusOr<std::string> Open(std::string_view sealed, const SealContext& context) const;

 private:
  Secret key_;
};

// Master keys from a key file or the environment. The last one seals, all of them open.
// Thread-safe.
class KeyRing {
 public:
  // One key a line; blank lines and lines that begin with # are passed over. kInvalidArgument names
  // the line, never its content.
  static absl::StatusOr<KeyRing> Parse(const Secret& text);
  // The sealed data key, with the id of the master key that sealed it.
  std::string SealDataKey(const Secret& data_key, RandomSource& random) const;
  // kPermissionDenied: none of the keys opens it; the message names the id of the key that is
  // needed.
  absl::StatusOr<Secret> OpenDataKey(std::string_view envelope) const;
  // A short public name of the sealing key: a keyed digest, safe to show.
  std::string SealingKeyId() const;

 private:
  struct Key {
    std::string id;
    Secret raw;
  };
  std::vector<Key> keys_;
};

}  // namespace poller
