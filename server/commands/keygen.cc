#include "server/commands/keygen.h"

#include "core/crypto/hash.h"
#include "core/crypto/key_ring.h"

namespace poller {

std::string NewKeyLine(RandomSource& random) {
  CryptoInit();
  return GenerateMasterKey(random).Reveal() + "\n";
}

}  // namespace poller
