// Bytes as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace poller {

std::string Base64Encode(std::string_view bytes);     // with padding
std::string Base64UrlEncode(std::string_view bytes);  // without padding
std::string Base32LowerEncode(
    std::string_view bytes);  // RFC 4648 alphabet in lower case, without padding
std::string HexEncode(std::string_view bytes);
// Nothing if `text` is not exactly that encoding. Padding may be there or not.
std::optional<std::string> Base64Decode(std::string_view text);
std::optional<std::string> Base64UrlDecode(std::string_view text);

}  // namespace poller
