// Where chance comes from.
#pragma once

#include <cstdint>
#include <span>

namespace poller {

// Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // A draw in [0, 1), for jitter and spreading. Not for secrets.
  virtual double Unit() = 0;
  // Fills `out` with bytes that cannot be predicted: ids, tokens. Aborts if the system has none.
  virtual void Fill(std::span<std::uint8_t> out) = 0;
};

// Draws from the operating system. Lives for ever.
RandomSource& SystemRandom();

}  // namespace poller
