#include "core/storage/sqlite/vault.h"

#include <array>
#include <cstdint>
#include <utility>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller {
namespace {

constexpr SealContext kHashKeyPlace{"meta", "hash_key", "value"};

Secret RandomKey(RandomSource& random) {
  std::string raw(32, '\0');
  random.Fill({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
  Secret key(raw);
  WipeString(raw);
  return key;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> FindMeta(Database& db, std::string_view key) {
  Query query = db.Run("SELECT value FROM meta WHERE key = ?1", key);
  if (query.Next()) return query.Text(0);
  RETURN_IF_ERROR(query.status());
  return std::nullopt;
}

absl::StatusOr<std::string> ReadMeta(Database& db, std::string_view key) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, FindMeta(db, key));
  if (value) return *std::move(value);
  return MakeStatus(
      absl::StatusCode::kDataLoss,
      "database " + db.path().string() + " is damaged: its meta table has no " + std::string(key));
}

absl::Status WriteMeta(Database& db, std::string_view key, std::string_view value) {
  return db.Exec(
      "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = "
      "excluded.value",
      key, Blob{value});
}

absl::Status Vault::Create(Database& db, const KeyRing& keys, RandomSource& random) {
  const Secret data_key = RandomKey(random);
  const Secret hash_key = RandomKey(random);
  RETURN_IF_ERROR(WriteMeta(db, "data_key", keys.SealDataKey(data_key, random)));
  return WriteMeta(db, "hash_key", Aead(data_key).Seal(hash_key.Reveal(), kHashKeyPlace, random));
}

absl::StatusOr<Vault> Vault::Open(Database& db, const KeyRing& keys, RandomSource& random) {
  ASSIGN_OR_RETURN(const std::string envelope, ReadMeta(db, "data_key"));
  absl::StatusOr<Secret> data_key = keys.OpenDataKey(envelope);
  if (!data_key.ok()) {
    const std::string place = "database " + db.path().string();
    if (absl::IsPermissionDenied(data_key.status())) {
      return WithReason(AddContext(data_key.status(), place), "WRONG_KEY");
    }
    return AddContext(data_key.status(), place);
  }
  Aead aead(*data_key);
  ASSIGN_OR_RETURN(const std::string sealed, ReadMeta(db, "hash_key"));
  ASSIGN_OR_RETURN(std::string raw, aead.Open(sealed, kHashKeyPlace));
  Secret hash_key(raw);
  WipeString(raw);
  return Vault(std::move(aead), std::move(hash_key), random);
}

Vault::Vault(Aead aead, Secret hash_key, RandomSource& random)
    : aead_(std::move(aead)), hash_key_(std::move(hash_key)), random_(&random) {}

std::string Vault::Seal(std::string_view plain, const SealContext& place) const {
  return aead_.Seal(plain, place, *random_);
}

absl::StatusOr<std::string> Vault::Unseal(std::string_view sealed, const SealContext& place) const {
  return aead_.Open(sealed, place);
}

std::string Vault::WebhookId(std::string_view connection_uid, OrderId order, int revision,
                             std::string_view content_hash, OrderCondition condition) const {
  return "msg_" + Base32LowerEncode(Blake2bParts(
                      {connection_uid, std::to_string(order.value()), std::to_string(revision),
                       content_hash, condition == OrderCondition::kCancelled ? "cancelled" : ""},
                      20, hash_key_.Reveal()));
}

std::string Vault::TokenHash(const Secret& token) const {
  return Blake2bParts({"token", token.Reveal()}, 32, hash_key_.Reveal());
}

std::string Vault::RequestHash(std::string_view digest) const {
  return Blake2bParts({"request", digest}, 32, hash_key_.Reveal());
}

std::string Vault::RandomName(RandomSource& random) {
  std::array<std::uint8_t, 16> bytes;
  random.Fill(bytes);
  return Base32LowerEncode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace poller
