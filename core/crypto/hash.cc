#include "core/crypto/hash.h"

#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace poller {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[noreturn]] void Die(const char* belief) {
  std::fprintf(stderr, "crypto: %s\n", belief);
  std::abort();
}

class Blake2bState {
 public:
  Blake2bState(std::size_t bytes, std::string_view key) : bytes_(bytes) {
    if (bytes < crypto_generichash_BYTES_MIN || bytes > crypto_generichash_BYTES_MAX) {
      Die("a BLAKE2b digest has 16 to 64 bytes");
    }
    if (!key.empty() && (key.size() < crypto_generichash_KEYBYTES_MIN ||
                         key.size() > crypto_generichash_KEYBYTES_MAX)) {
      Die("a BLAKE2b key has 16 to 64 bytes");
    }
    crypto_generichash_init(&state_, key.empty() ? nullptr : Bytes(key), key.size(), bytes);
  }
  ~Blake2bState() { sodium_memzero(&state_, sizeof state_); }  // holds the key
  Blake2bState(const Blake2bState&) = delete;
  Blake2bState& operator=(const Blake2bState&) = delete;

  void Add(std::string_view data) { crypto_generichash_update(&state_, Bytes(data), data.size()); }
  std::string Finish() {
    std::string out(bytes_, '\0');
    crypto_generichash_final(&state_, reinterpret_cast<unsigned char*>(out.data()), bytes_);
    return out;
  }

 private:
  crypto_generichash_state state_;
  std::size_t bytes_;
};

}  // namespace

void CryptoInit() {
  if (sodium_init() < 0) Die("libsodium cannot start");
}

std::string Blake2b(std::string_view data, std::size_t bytes, std::string_view key) {
  Blake2bState state(bytes, key);
  state.Add(data);
  return state.Finish();
}

std::string Blake2bParts(std::initializer_list<std::string_view> parts, std::size_t bytes,
                         std::string_view key) {
  Blake2bState state(bytes, key);
  for (const std::string_view part : parts) {
    std::array<char, 8> length;  // big-endian
    for (std::size_t i = 0; i < length.size(); ++i) {
      length[i] = static_cast<char>(static_cast<std::uint64_t>(part.size()) >> (56 - 8 * i));
    }
    state.Add({length.data(), length.size()});
    state.Add(part);
  }
  return state.Finish();
}

std::string HmacSha256(std::string_view key, std::string_view data) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, Bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, Bytes(data), data.size());
  std::string out(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
  sodium_memzero(&state, sizeof state);
  return out;
}

}  // namespace poller
