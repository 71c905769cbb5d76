// Every recording, spoilt by chance some thousand times: the client takes it or says what it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/mutation.h"

namespace poller::fuzz {
namespace {

// The libFuzzer target goes on where these end (odoo_answer_fuzz.cc).
constexpr int kMutationsOfEach = 10;
constexpr int kMutationsOfRecords = 60;

// What the mapper sees too.
bool IsOfRecords(const Input& input) {
  return static_cast<Operation>(input.operation % kOperations) == Operation::kReadOrders;
}

void Twist(Input& input, Chance& chance) {
  if (chance.OneIn(8)) input.status = static_cast<std::uint8_t>(chance.Below(256));
  if (chance.OneIn(12)) input.content_type = static_cast<std::uint8_t>(chance.Below(256));
  if (chance.OneIn(4)) input.headers = static_cast<std::uint8_t>(chance.Below(256));
  if (chance.OneIn(3)) input.operation = static_cast<std::uint8_t>(chance.Below(256));
}

class MutatedRecordingsTest : public testing::Test {
 protected:
  Conversation conversation_;
};

TEST_F(MutatedRecordingsTest, AsTheyAreTheyAreTakenOrNamed) {
  const std::vector<Input> seeds = conversation_.Seeds();
  EXPECT_GE(seeds.size(), 400u);
  for (const Input& seed : seeds) EXPECT_EQ(conversation_.Run(seed), "") << seed.body;
}

TEST_F(MutatedRecordingsTest, EveryMutationIsTakenOrNamed) {
  constexpr std::uint64_t kSeed = 20261128;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Chance chance(kSeed);
  std::set<odoo::ErrorKind> kinds;
  int taken = 0, mapped = 0, refused = 0;
  for (const Input& seed : conversation_.Seeds()) {
    const int mutations = IsOfRecords(seed) ? kMutationsOfRecords : kMutationsOfEach;
    for (int i = 0; i < mutations; ++i) {
      Input input = seed;
      input.body = Mutate(seed.body, chance);
      Twist(input, chance);
      ASSERT_EQ(conversation_.Run(input), "")
          << "way " << int{input.way} << " operation " << int{input.operation} << " at "
          << int{input.at} << " status " << int{input.status} << " headers " << int{input.headers}
          << "\n"
          << input.body.substr(0, 4000);
      if (conversation_.outcome().has_value()) kinds.insert(*conversation_.outcome());
      taken += conversation_.outcome().has_value() ? 0 : 1;
      mapped += conversation_.mapped();
      refused += conversation_.refused();
    }
  }
  // The mutations reach every class of error, and past the client.
  EXPECT_EQ(kinds.size(), 11u);
  EXPECT_GT(taken, 500);
  EXPECT_GT(mapped, 500);
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace poller::fuzz
