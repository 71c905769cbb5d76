#include "core/crypto/fernet.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/status.h"
#include "core/crypto/encoding.h"

namespace poller {
namespace {

// A token: version, time, initialisation vector, ciphertext, signature of all before it.
constexpr char kVersion = '\x80';
constexpr std::size_t kBlock = 16;
constexpr std::size_t kHeader = 1 + 8;
constexpr std::size_t kSignature = 32;
constexpr std::size_t kKeyHalf = 16;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Sign(const Secret& key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), Bytes(key.Reveal()), static_cast<int>(key.size()), Bytes(data), data.size(),
       digest.data(), &size);
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

// AES-128-CBC with PKCS #7. Nothing: the padding is wrong.
std::optional<Secret> Decrypt(const Secret& key, std::string_view vector,
                              std::string_view ciphertext) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string plain(ciphertext.size() + kBlock, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(plain.data());
  int first = 0;
  int last = 0;
  const bool opened = context != nullptr &&
                      EVP_DecryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr,
                                         Bytes(key.Reveal()), Bytes(vector)) == 1 &&
                      EVP_DecryptUpdate(context.get(), out, &first, Bytes(ciphertext),
                                        static_cast<int>(ciphertext.size())) == 1 &&
                      EVP_DecryptFinal_ex(context.get(), out + first, &last) == 1;
  std::optional<Secret> result;
  if (opened) result.emplace(plain.substr(0, static_cast<std::size_t>(first + last)));
  WipeString(plain);
  return result;
}

std::string_view Trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

absl::StatusOr<FernetKeys> FernetKeys::Parse(const Secret& text) {
  FernetKeys result;
  std::string_view rest = text.Reveal();
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    std::optional<std::string> raw = Base64UrlDecode(line);
    if (!raw || raw->size() != 2 * kKeyHalf) {
      return MakeStatus(
          absl::StatusCode::kInvalidArgument,
          "line " + std::to_string(number) + " is not a Fernet key (32 bytes in URL-safe base64)");
    }
    result.keys_.push_back({Secret(raw->substr(0, kKeyHalf)), Secret(raw->substr(kKeyHalf))});
    WipeString(*raw);
  }
  if (result.keys_.empty())
    return MakeStatus(absl::StatusCode::kInvalidArgument, "there is no Fernet key in it");
  return result;
}

absl::StatusOr<Secret> FernetKeys::Open(std::string_view token) const {
  const std::optional<std::string> raw = Base64UrlDecode(token);
  const bool complete = raw && raw->size() >= kHeader + kBlock + kSignature;
  if (!complete || raw->front() != kVersion)
    return MakeStatus(absl::StatusCode::kInvalidArgument, "is no Fernet token");
  const std::string_view bytes = *raw;
  const std::string_view is_signed = bytes.substr(0, bytes.size() - kSignature);
  const std::string_view signature = bytes.substr(is_signed.size());
  const std::string_view vector = is_signed.substr(kHeader, kBlock);
  const std::string_view ciphertext = is_signed.substr(kHeader + kBlock);
  for (const Key& key : keys_) {
    if (!ConstantTimeEquals(Sign(key.signing, is_signed), signature)) continue;
    std::optional<Secret> plain;
    if (!ciphertext.empty() && ciphertext.size() % kBlock == 0)
      plain = Decrypt(key.encryption, vector, ciphertext);
    if (!plain) return MakeStatus(absl::StatusCode::kDataLoss, "is a damaged Fernet token");
    return *std::move(plain);
  }
  return MakeStatus(absl::StatusCode::kPermissionDenied, "was not sealed with this key");
}

}  // namespace poller
