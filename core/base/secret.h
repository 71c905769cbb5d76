// A value that must not be seen: an API key, a webhook secret, a token, a key.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace poller {

// Owns its bytes and overwrites them when it is destroyed or assigned. It has no stream operator
// and no conversion: `Reveal()` is the only way to the content and is easy to find. Not
// synchronised.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // Valid until this object changes. Do not copy it into anything that is logged, stored or
  // answered.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  std::size_t size() const { return value_.size(); }

  // Constant time in the content; the length is not hidden.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  void Wipe();
  std::string value_;
};

// Overwrites `text` so that the compiler cannot leave it out, and empties it.
void WipeString(std::string& text);
// Equal content, in time that depends on the lengths alone.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace poller
