// Answers of Odoo, spoilt by chance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace poller::fuzz {

// The same seed draws the same everywhere.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  // In [0, n); n is not 0.
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool OneIn(std::size_t n) { return Below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// The key of the client under test: a mutation puts it where a server could, and no error may show
// it.
inline constexpr std::string_view kKey = "a-secret-key";

// `body` with one to three mutations. Of JSON, mostly of its values: other types, numbers beyond any
// range, NaN, members that are missing, there twice or renamed, deep nesting, bad UTF-8, what stands
// elsewhere in it. Else of its bytes: flipped, cut, removed, doubled.
std::string Mutate(std::string_view body, Chance& chance);

}  // namespace poller::fuzz
