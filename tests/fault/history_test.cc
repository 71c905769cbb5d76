// Guarantees G1 to G3 over random histories. POLLER_HISTORIES sets how many (default 1000),
// POLLER_HISTORY_SEED plays one alone.
#include "tests/fault/history.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace poller::test {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(HistoryTest, NothingIsLostNothingGoesBackwardsNothingIsRepeatedWithoutNeed) {
  const std::uint64_t only = FromEnvironment("POLLER_HISTORY_SEED", 0);
  const std::uint64_t count = only != 0 ? 1 : FromEnvironment("POLLER_HISTORIES", 1000);
  const std::uint64_t first = only != 0 ? only : 1;
  int failed = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::vector<std::string> wrong = History(seed).Play();
    if (wrong.empty()) continue;
    std::string text;
    for (const std::string& line : wrong) text += "\n  " + line;
    ADD_FAILURE() << "POLLER_HISTORY_SEED=" << seed << text;
    if (++failed == 5) break;  // enough to look at
  }
}

}  // namespace
}  // namespace poller::test
