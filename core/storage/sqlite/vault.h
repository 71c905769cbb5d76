// What is sealed at rest, and what is derived from the database's random keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"
#include "core/crypto/key_ring.h"
#include "core/model/delivery.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// Thread-safe.
class Vault {
 public:
  // Makes the keys of a new database and stores them sealed: the data key, and the hash key for
  // webhook ids and tokens.
  static absl::Status Create(Database& db, const KeyRing& keys, RandomSource& random);
  // Reads and opens them. kPermissionDenied (reason WRONG_KEY): the master key is another.
  static absl::StatusOr<Vault> Open(Database& db, const KeyRing& keys, RandomSource& random);

  std::string Seal(std::string_view plain, const SealContext& place) const;
  absl::StatusOr<std::string> Unseal(std::string_view sealed, const SealContext& place) const;

  // DESIGN 3.2: the same revision gives the same id, whatever happens to its row; no other one
  // gives it.
  std::string WebhookId(std::string_view connection_uid, OrderId order, int revision,
                        std::string_view content_hash, OrderCondition condition) const;
  std::string TokenHash(const Secret& token) const;
  // Of a digest of a request.
  std::string RequestHash(std::string_view digest) const;
  // 16 random bytes as text: the uid of a connection, the id of a log.
  std::string RandomName() const { return RandomName(*random_); }
  static std::string RandomName(RandomSource& random);

 private:
  Vault(Aead aead, Secret hash_key, RandomSource& random);
  Aead aead_;
  Secret hash_key_;
  RandomSource* random_;
};

// Values of the meta table. ReadMeta: kDataLoss if there is no such key.
absl::StatusOr<std::optional<std::string>> FindMeta(Database& db, std::string_view key);
absl::StatusOr<std::string> ReadMeta(Database& db, std::string_view key);
absl::Status WriteMeta(Database& db, std::string_view key, std::string_view value);

}  // namespace poller
