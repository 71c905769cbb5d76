#include "core/crypto/key_ring.h"

#include <sodium.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller {
namespace {

constexpr char kSealVersion = 1;
constexpr char kEnvelopeVersion = 1;
constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKeyIdText = 16;  // hex digits of 8 bytes

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Each part with its length before it: ("ab", "c") and ("a", "bc") are different places.
std::string AssociatedData(const SealContext& context) {
  std::string out(1, kSealVersion);
  for (const std::string_view part : {context.table, context.row, context.column}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out += static_cast<char>(static_cast<std::uint32_t>(part.size()) >> shift);
    }
    out += part;
  }
  return out;
}

std::string KeyId(const Secret& raw) {
  return HexEncode(Blake2b("poller master key id", 16, raw.Reveal())).substr(0, kKeyIdText);
}

SealContext DataKeyContext(std::string_view key_id) { return {"master_key", key_id, "data_key"}; }

std::string_view Trim(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

Secret GenerateMasterKey(RandomSource& random) {
  std::array<std::uint8_t, kKeyBytes> raw;
  random.Fill(raw);
  std::string text = Base64UrlEncode({reinterpret_cast<const char*>(raw.data()), raw.size()});
  sodium_memzero(raw.data(), raw.size());
  while (text.size() % 4 != 0) text += '=';
  Secret key(text);
  WipeString(text);
  return key;
}

Aead::Aead(Secret key) : key_(std::move(key)) {
  if (key_.size() != kKeyBytes) {
    std::fputs("crypto: an XChaCha20-Poly1305 key has 32 bytes\n", stderr);
    std::abort();
  }
}

std::string Aead::Seal(std::string_view plain, const SealContext& context,
                       RandomSource& random) const {
  std::array<std::uint8_t, kNonceBytes> nonce;
  random.Fill(nonce);
  const std::string associated = AssociatedData(context);
  std::string out(1 + kNonceBytes + plain.size() + kTagBytes, kSealVersion);
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  std::copy(nonce.begin(), nonce.end(), bytes + 1);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + 1 + kNonceBytes, nullptr, Bytes(plain),
                                             plain.size(), Bytes(associated), associated.size(),
                                             nullptr, nonce.data(), Bytes(key_.Reveal()));
  return out;
}

absl::StatusOr<std::string> Aead::Open(std::string_view sealed, const SealContext& context) const {
  const auto damaged = [&] {
    return absl::DataLossError("a sealed value of " + std::string(context.table) + "." +
                               std::string(context.column) +
                               " does not open: it is damaged, or was moved here from elsewhere");
  };
  if (sealed.size() < 1 + kNonceBytes + kTagBytes || sealed[0] != kSealVersion) return damaged();
  const std::string associated = AssociatedData(context);
  std::string out(sealed.size() - 1 - kNonceBytes - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(out.data()), nullptr, nullptr,
          Bytes(sealed) + 1 + kNonceBytes, sealed.size() - 1 - kNonceBytes, Bytes(associated),
          associated.size(), Bytes(sealed) + 1, Bytes(key_.Reveal())) != 0) {
    return damaged();
  }
  return out;
}

absl::StatusOr<KeyRing> KeyRing::Parse(const Secret& text) {
  KeyRing ring;
  std::string_view rest = text.Reveal();
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = Trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    std::optional<std::string> raw = Base64UrlDecode(line);
    if (!raw || raw->size() != kKeyBytes) {
      if (raw) WipeString(*raw);
      return absl::InvalidArgumentError(
          "line " + std::to_string(number) +
          " of the encryption key is not 32 bytes in URL-safe base64");
    }
    Secret key(*raw);
    WipeString(*raw);
    std::string id = KeyId(key);
    ring.keys_.push_back({std::move(id), std::move(key)});
  }
  if (ring.keys_.empty()) {
    return absl::InvalidArgumentError(
        "there is no encryption key: expected 32 bytes in URL-safe base64");
  }
  return ring;
}

std::string KeyRing::SealDataKey(const Secret& data_key, RandomSource& random) const {
  const Key& key = keys_.back();
  return std::string(1, kEnvelopeVersion) + key.id +
         Aead(key.raw).Seal(data_key.Reveal(), DataKeyContext(key.id), random);
}

absl::StatusOr<Secret> KeyRing::OpenDataKey(std::string_view envelope) const {
  if (envelope.size() < 1 + kKeyIdText || envelope[0] != kEnvelopeVersion) {
    return absl::DataLossError("the sealed data key is damaged");
  }
  const std::string_view id = envelope.substr(1, kKeyIdText);
  for (const Key& key : keys_) {
    if (key.id != id) continue;
    absl::StatusOr<std::string> raw =
        Aead(key.raw).Open(envelope.substr(1 + kKeyIdText), DataKeyContext(id));
    if (!raw.ok()) return raw.status();
    Secret data_key(*raw);
    WipeString(*raw);
    return data_key;
  }
  return absl::PermissionDeniedError("the encryption key with id " + std::string(id) +
                                     " is needed; the given one has id " + keys_.back().id);
}

std::string KeyRing::SealingKeyId() const { return keys_.back().id; }

}  // namespace poller
