#pragma once

namespace poller {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace poller
