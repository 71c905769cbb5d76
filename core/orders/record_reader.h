// Reads the fields of one record of Odoo, and says precisely what is odd about them.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poller {

// Larger ids lose digits in receivers that hold numbers as doubles (JavaScript).
inline constexpr std::int64_t kMaxOdooId = std::int64_t{1} << 53;

// A many2one: the id and the display name of what it points to.
struct Reference {
  std::int64_t id = 0;  // 0: none
  std::string name;
};

// Odoo writes `false` for what is empty, and a field that a database lacks is absent: both read as
// empty, save by the Required… calls. Every error is kInvalidArgument and names record and field,
// never a value. Texts are made valid UTF-8: a bad byte becomes U+FFFD, since no receiver could
// read the body otherwise. Refers to the record, which outlives it.
class RecordReader {
 public:
  RecordReader(std::string_view model, std::int64_t id, const boost::json::object& record)
      : model_(model), id_(id), record_(record) {}

  // The record's own id: positive and at most kMaxOdooId.
  static absl::StatusOr<std::int64_t> ReadId(std::string_view model,
                                             const boost::json::object& record);

  absl::StatusOr<std::string> Text(std::string_view field) const;
  absl::StatusOr<std::string> RequiredText(std::string_view field) const;
  // "YYYY-MM-DD HH:MM:SS", or empty.
  absl::StatusOr<std::string> Time(std::string_view field) const;
  absl::StatusOr<std::string> RequiredTime(std::string_view field) const;
  // Finite; absent is 0.
  absl::StatusOr<double> Number(std::string_view field) const;
  absl::StatusOr<double> RequiredNumber(std::string_view field) const;
  absl::StatusOr<Reference> Many2one(std::string_view field) const;
  absl::StatusOr<Reference> RequiredMany2one(
      std::string_view field) const;  // there, but may be empty
  absl::StatusOr<std::vector<std::int64_t>> Ids(std::string_view field) const;
  absl::StatusOr<std::vector<std::int64_t>> RequiredIds(std::string_view field) const;

  // kInvalidArgument "sale.order 42: `field` `what`".
  absl::Status Error(std::string_view field, std::string_view what) const;

 private:
  // Null where the field is absent, false or null.
  const boost::json::value* Find(std::string_view field) const;
  absl::Status CheckPresent(std::string_view field) const;

  std::string_view model_;
  std::int64_t id_;
  const boost::json::object& record_;
};

}  // namespace poller
