#include "core/base/random_source.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/synchronization/mutex.h"

namespace poller {
namespace {

class RealRandom final : public RandomSource {
 public:
  RealRandom() {
    std::uint64_t seed = 0;
    Fill({reinterpret_cast<std::uint8_t*>(&seed), sizeof seed});
    absl::MutexLock lock(&mu_);
    engine_.seed(seed);
  }

  double Unit() override {
    absl::MutexLock lock(&mu_);
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
  }

  void Fill(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t n = getrandom(out.data(), out.size(), 0);
      if (n > 0) {
        out = out.subspan(static_cast<std::size_t>(n));
      } else if (errno != EINTR) {
        std::fputs("the operating system gives no random bytes\n", stderr);
        std::abort();
      }
    }
  }

 private:
  absl::Mutex mu_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

RandomSource& SystemRandom() {
  static RealRandom* const random = new RealRandom;
  return *random;
}

}  // namespace poller
