#include "core/delivery/failure_class.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/base/text.h"

namespace poller {
namespace {

// "Retry-After: 0" from a receiver that keeps refusing would have us call it without pause.
constexpr absl::Duration kShortestHold = absl::Seconds(1);

// Until others have given back memory or sockets.
constexpr absl::Duration kLocalWait = absl::Seconds(5);

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<absl::Duration> ParseRetryAfter(std::string_view text,
                                              std::optional<std::string_view> date,
                                              absl::Time now) {
  text = Trim(text);
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return parsed.ec == std::errc() ? absl::Seconds(seconds) : absl::InfiniteDuration();
  }
  const auto until = ParseHttpDate(text);
  if (!until.ok()) return std::nullopt;
  if (date.has_value()) {
    if (const auto theirs = ParseHttpDate(Trim(*date)); theirs.ok()) now = *theirs;
  }
  return *until - now;
}

bool SuspectsReceiver(int status) {
  switch (status) {
    case 401:
    case 403:
    case 404:
    case 408:
    case 425:
      return true;
    default:
      return status >= 500 || status < 400;
  }
}

}  // namespace

AttemptVerdict ClassifyAnswer(int status, std::optional<std::string_view> retry_after,
                              std::optional<std::string_view> date, absl::Time now,
                              absl::Duration max_hold) {
  AttemptVerdict verdict;
  verdict.answered = true;
  if (status < 200 || status > 599) return verdict;
  if (status < 300) {
    verdict.accepted = true;
    verdict.receiver = AttemptVerdict::Receiver::kWell;
    return verdict;
  }
  if ((status == 429 || status == 503) && retry_after.has_value()) {
    if (const auto hold = ParseRetryAfter(*retry_after, date, now); hold.has_value()) {
      verdict.hold = std::clamp(*hold, std::min(kShortestHold, max_hold), max_hold);
      verdict.receiver = AttemptVerdict::Receiver::kSilent;
      return verdict;
    }
  }
  if (status == 429) {
    verdict.rate_limited = true;
    verdict.receiver = AttemptVerdict::Receiver::kSilent;
    return verdict;
  }
  verdict.may_blame_order = true;
  if (status == 410) {
    verdict.gone = true;
    verdict.receiver = AttemptVerdict::Receiver::kSilent;
    return verdict;
  }
  verdict.receiver = SuspectsReceiver(status) ? AttemptVerdict::Receiver::kSuspect
                                              : AttemptVerdict::Receiver::kWell;
  return verdict;
}

AttemptVerdict ClassifyTransportFailure(TransportFailure failure) {
  AttemptVerdict verdict;
  if (!IsOurFailure(failure)) return verdict;
  verdict.receiver = AttemptVerdict::Receiver::kSilent;
  if (failure != TransportFailure::kCancelled) verdict.hold = kLocalWait;
  return verdict;
}

}  // namespace poller
