// Which state of which line an order's reading saw, in little room. Pure; thread-safe.
//
// The newest write_date of an order's lines does not tell whether a listed line was seen: a
// transaction that began earlier may commit later, with an older write_date. Lines of one order are
// mostly written together and numbered together, so that they take about 40 bytes:
//
//   2026-01-15 10:31:00=991-995,1003;2026-01-15 10:30:00=990
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace poller {

struct LineStamp {
  std::int64_t line = 0;
  std::string write_date;  // Odoo's text form
};

// At most 2 KiB: the lines that were written longest ago are left out beyond that, and count as
// seen. Lines without a write_date are left out too.
std::string EncodeLineStamps(std::vector<LineStamp> lines);

// `stamps` is of EncodeLineStamps, and not empty: whether it has the line as it was written then.
bool HasLineStamp(std::string_view stamps, const LineStamp& stamp);

}  // namespace poller
