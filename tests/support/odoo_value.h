// Field values to and from JSON, and times as Odoo writes them.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "tests/support/odoo_schema.h"

namespace poller::test {

// "2026-01-15 10:31:02": UTC, whole seconds, truncated towards the past.
std::string OdooDatetime(absl::Time time);

struct ParsedDatetime {
  absl::Time time;  // as written, fraction included; a zone is taken as UTC
  bool has_zone = false;
};
// "YYYY-MM-DD", optionally with " HH:MM:SS" or "T…", a fraction, and "Z" or "+HH:MM". Empty for
// anything else.
std::optional<ParsedDatetime> ParseDatetimeText(std::string_view text);

// A value given as RPC would give or serve it: false or null for empty, [id, name] or id for a
// many2one. Aborts on a value that does not fit the field.
FieldValue FieldFromJson(const FieldDef& field, const boost::json::value& value);
// What read() serves, many2one as the bare id: false for empty texts, dates and many2ones, 0 for
// numbers, [] for lists.
boost::json::value FieldToJson(const FieldDef& field, const FieldValue& value);

// Empty, or false for a boolean.
bool IsEmptyValue(const FieldValue& value);

}  // namespace poller::test
