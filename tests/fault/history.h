// Random histories of a shop, and the verdict over what arrived.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/fault/world.h"

namespace poller::test {

// Plays one history from a seed: people work in the shop, the network and the receiver fail, the
// process crashes, clocks are set; at the end all is healed and given time. The same seed plays the
// same history.
class History {
 public:
  explicit History(std::uint64_t seed);
  // What is wrong, a line each; empty: everything that was committed and confirmed arrived in its
  // newest form, nothing went backwards, nothing was repeated without need.
  std::vector<std::string> Play();

 private:
  struct LateCommit {
    Tx tx;
    absl::Duration at;  // monotonic
  };
  void Step();
  void ActInShop();
  void Trouble();
  void CommitDue(bool all);
  void Heal();
  RecordId AnyOrder();
  RecordId AnyLine(RecordId order);
  void Bulk();
  absl::Duration LateBy();
  void Edit(RecordId order, Tx tx);
  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(chance_); }

  std::mt19937_64 chance_;
  World world_;
  RecordId customer_ = 0;
  RecordId product_ = 0;
  std::vector<LateCommit> late_;
};

}  // namespace poller::test
