#include "client/suggest.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace poller::client {
namespace {

constexpr std::size_t kMost = 3;          // suggestions
constexpr std::size_t kMeantLength = 3;   // so many letters make a beginning that means something
constexpr std::size_t kComparable = 200;  // longer texts are no slips

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& known) {
  const std::string typed = Lower(word);
  if (typed.empty() || typed.size() > kComparable) return {};
  const std::size_t tolerance = std::clamp<std::size_t>(typed.size() / 2, 1, 2);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : known) {
    if (candidate.size() > kComparable) continue;
    const std::string lower = Lower(candidate);
    std::size_t distance = EditDistance(typed, lower);
    const std::size_t part = typed.size() >= kMeantLength ? lower.find(typed) : std::string::npos;
    if (distance > tolerance && part == std::string::npos) continue;
    if (part != std::string::npos) distance = part == 0 ? 1 : tolerance + 1;
    near.emplace_back(distance, candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> words;
  for (auto& [distance, candidate] : near) {
    if (words.size() == kMost) break;
    words.push_back(std::move(candidate));
  }
  return words;
}

std::string DidYouMean(const std::vector<std::string>& words) {
  if (words.empty()) return "";
  std::string text = "did you mean " + words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    text += (i + 1 == words.size() ? ", or " : ", ") + words[i];
  }
  return text + "?";
}

}  // namespace poller::client
