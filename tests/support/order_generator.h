// Realistic partners, products and orders for demos, soaks and benchmarks.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "tests/support/odoo_database.h"

namespace poller::test {

// The same seed makes the same orders. Thread-safe.
class OrderGenerator {
 public:
  // `database` outlives this. Adds the partners and products that the orders use.
  OrderGenerator(SimDatabase& database, std::uint64_t seed);

  // An order of one to four lines: companies and persons, delivery addresses, variants, sections,
  // notes, discounts, free text.
  OrderSpec NextOrder();
  RecordId ConfirmOne(Tx tx = {});
  // One thing of a shop's day: mostly a new confirmed order, sometimes an edit of one of this
  // generator's orders or a cancellation. Says what it did: "shop1: confirmed S00042".
  std::string Step();

 private:
  std::uint64_t Below(std::uint64_t bound) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Chance(int percent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return Below(100) < static_cast<std::uint64_t>(percent);
  }
  OrderSpec MakeOrder() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string Edit(RecordId order) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  struct Customer {
    RecordId partner;
    RecordId shipping;
    std::string currency;
  };
  SimDatabase& database_;
  std::mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  std::vector<Customer> customers_;
  std::vector<RecordId> products_;
  std::vector<RecordId> orders_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::test
