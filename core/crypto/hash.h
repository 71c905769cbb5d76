// Digests and message authentication. Pure; thread-safe after CryptoInit.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace poller {

// Prepares libsodium. Call it once before anything else of crypto/; aborts if the library cannot
// start. Safe to repeat.
void CryptoInit();

// BLAKE2b of `bytes` (16 to 64) length; `key` is empty or 16 to 64 bytes.
std::string Blake2b(std::string_view data, std::size_t bytes, std::string_view key = {});
// The parts, each preceded by its length, so that no two lists of parts give the same input.
std::string Blake2bParts(std::initializer_list<std::string_view> parts, std::size_t bytes,
                         std::string_view key = {});
// HMAC-SHA256, 32 raw bytes; a key of any length.
std::string HmacSha256(std::string_view key, std::string_view data);

}  // namespace poller
