// What somebody meant who mistyped a word.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace poller::client {

// Edits (insertions, deletions, replacements, swaps of neighbours) that turn one word into the
// other.
std::size_t EditDistance(std::string_view a, std::string_view b);

// Those of `known` that `word` may have been meant for, the nearest first, at most three: a slip or
// two away (upper and lower case are alike), or what it is a part of. Empty: none is near.
std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& known);

// "did you mean a, or b?"; empty for no words.
std::string DidYouMean(const std::vector<std::string>& words);

}  // namespace poller::client
