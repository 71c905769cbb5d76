#include "core/base/secret.h"

#include <string.h>

namespace poller {

void WipeString(std::string& text) {
  // Capacity, not size: an earlier, longer content may still stand behind the end.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.Wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    value_ = other.value_;
    other.Wipe();
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

void Secret::Wipe() { WipeString(value_); }

bool operator==(const Secret& a, const Secret& b) { return ConstantTimeEquals(a.value_, b.value_); }

}  // namespace poller
