// Points in time as people, Odoo and HTTP servers write them.
#include <array>
#include <cstdint>
#include <optional>

#include "absl/time/civil_time.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

// Reads a text from left to right. After the first mismatch every read fails, so that a caller
// looks at `ok()` once.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Exactly `digits` decimal digits.
  int Number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return Fail();
    for (std::size_t i = 0; i < digits; ++i) {
      if (!IsDigit(rest_[i])) return Fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  void Literal(std::string_view expected) {
    if (!Accept(expected)) Fail();
  }
  bool Accept(std::string_view expected) {
    if (!ok_ || !rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  // 1-based index of the word in `words` that comes next.
  template <std::size_t N>
  int OneOf(const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; i < N; ++i) {
      if (Accept(words[i])) return static_cast<int>(i) + 1;
    }
    return Fail();
  }
  // ".123": digits after the ninth are ignored.
  absl::Duration Fraction() {
    absl::Duration value;
    absl::Duration place = absl::Milliseconds(100);
    if (rest_.empty() || !IsDigit(rest_[0])) Fail();
    while (!rest_.empty() && IsDigit(rest_[0])) {
      value += place * (rest_[0] - '0');
      place /= 10;
      rest_.remove_prefix(1);
    }
    return value;
  }
  bool Done() const { return ok_ && rest_.empty(); }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  int Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

struct Civil {
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

// Nothing if there is no such date or time. A leap second, where allowed, is the first second of
// the next minute.
std::optional<absl::Time> ToTime(const Civil& c, int max_second = 59) {
  const absl::CivilDay day(c.year, c.month, c.day);
  if (c.year < 1 || day.month() != c.month || day.day() != c.day) return std::nullopt;
  if (c.hour > 23 || c.minute > 59 || c.second > max_second) return std::nullopt;
  return absl::FromCivil(absl::CivilSecond(c.year, c.month, c.day, c.hour, c.minute, c.second),
                         absl::UTCTimeZone());
}

void ScanDate(Scanner& scan, Civil& civil) {
  civil.year = scan.Number(4);
  scan.Literal("-");
  civil.month = scan.Number(2);
  scan.Literal("-");
  civil.day = scan.Number(2);
}

void ScanClock(Scanner& scan, Civil& civil) {
  civil.hour = scan.Number(2);
  scan.Literal(":");
  civil.minute = scan.Number(2);
  scan.Literal(":");
  civil.second = scan.Number(2);
}

// What follows the "T": clock, fraction and zone of RFC 3339.
std::optional<absl::Time> ScanRfc3339Clock(Scanner& scan, Civil civil) {
  ScanClock(scan, civil);
  absl::Duration offset;
  if (scan.Accept(".")) offset += scan.Fraction();
  if (!scan.Accept("Z") && !scan.Accept("z")) {
    const bool east = scan.Accept("+");
    if (!east) scan.Literal("-");
    const int hours = scan.Number(2);
    scan.Literal(":");
    const int minutes = scan.Number(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    const absl::Duration zone = absl::Hours(hours) + absl::Minutes(minutes);
    offset += east ? -zone : zone;
  }
  const std::optional<absl::Time> time = ToTime(civil);
  if (!scan.Done() || !time) return std::nullopt;
  return *time + offset;
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<absl::Time> ParseImfFixdate(std::string_view text) {
  Scanner scan(text);
  Civil civil;
  scan.OneOf(kDays);
  scan.Literal(", ");
  civil.day = scan.Number(2);
  scan.Literal(" ");
  civil.month = scan.OneOf(kMonths);
  scan.Literal(" ");
  civil.year = scan.Number(4);
  scan.Literal(" ");
  ScanClock(scan, civil);
  scan.Literal(" GMT");
  return scan.Done() ? ToTime(civil, 60) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<absl::Time> ParseRfc850(std::string_view text) {
  Scanner scan(text);
  Civil civil;
  scan.OneOf(kLongDays);
  scan.Literal(", ");
  civil.day = scan.Number(2);
  scan.Literal("-");
  civil.month = scan.OneOf(kMonths);
  scan.Literal("-");
  const int year = scan.Number(2);
  civil.year = year + (year < 70 ? 2000 : 1900);
  scan.Literal(" ");
  ScanClock(scan, civil);
  scan.Literal(" GMT");
  return scan.Done() ? ToTime(civil, 60) : std::nullopt;
}

// "Sun Nov  6 08:49:37 1994"
std::optional<absl::Time> ParseAsctime(std::string_view text) {
  Scanner scan(text);
  Civil civil;
  scan.OneOf(kDays);
  scan.Literal(" ");
  civil.month = scan.OneOf(kMonths);
  scan.Literal(" ");
  civil.day = scan.Accept(" ") ? scan.Number(1) : scan.Number(2);
  scan.Literal(" ");
  ScanClock(scan, civil);
  scan.Literal(" ");
  civil.year = scan.Number(4);
  return scan.Done() ? ToTime(civil, 60) : std::nullopt;
}

absl::Status Bad(std::string_view expected) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, expected);
}

}  // namespace

std::string FormatTime(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseTime(std::string_view text) {
  Scanner scan(text);
  Civil civil;
  ScanDate(scan, civil);
  std::optional<absl::Time> time;
  if (scan.Done()) {
    time = ToTime(civil);
  } else if (scan.Accept("T") || scan.Accept("t")) {
    time = ScanRfc3339Clock(scan, civil);
  } else {
    scan.Literal(" ");
    ScanClock(scan, civil);
    if (scan.Done()) time = ToTime(civil);
  }
  if (time) return *time;
  return Bad(
      "expected a time such as 2026-01-15T10:31:02Z, 2026-01-15T11:31:02+01:00, 2026-01-15 or "
      "2026-01-15 10:31:02 (UTC)");
}

absl::StatusOr<absl::Time> ParseOdooTime(std::string_view text) {
  Scanner scan(text);
  Civil civil;
  ScanDate(scan, civil);
  scan.Literal(" ");
  ScanClock(scan, civil);
  if (scan.Done()) {
    if (const std::optional<absl::Time> time = ToTime(civil)) return *time;
  }
  return Bad("expected a time such as 2026-01-15 10:31:02");
}

std::string FormatOdooTime(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseHttpDate(std::string_view text) {
  for (const auto parse : {ParseImfFixdate, ParseRfc850, ParseAsctime}) {
    if (const std::optional<absl::Time> time = parse(text)) return *time;
  }
  return Bad("expected an HTTP date such as Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace poller
