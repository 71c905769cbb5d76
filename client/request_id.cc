#include "client/request_id.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "core/base/random_source.h"

namespace poller::client {

std::string NewRequestId() {
  std::array<std::uint8_t, 16> bytes{};
  SystemRandom().Fill(bytes);
  std::string id;
  for (const std::uint8_t byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

}  // namespace poller::client
