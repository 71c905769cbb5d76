#include "core/orders/record_reader.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "core/base/status.h"
#include "core/base/text.h"
#include "fmt/format.h"

namespace poller {
namespace {

namespace json = boost::json;

absl::Status Odd(std::string_view model, std::int64_t id, std::string_view field,
                 std::string_view what) {
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    id > 0 ? fmt::format("{} {}: {} {}", model, id, field, what)
                           : fmt::format("{}: {} {}", model, field, what));
}

std::optional<std::int64_t> AsId(const json::value& value) {
  const std::int64_t* id = value.if_int64();
  if (id == nullptr || *id <= 0 || *id > kMaxOdooId) return std::nullopt;
  return *id;
}

std::string TextOf(const json::string& text) {
  return ToValidUtf8(std::string_view(text.data(), text.size()));
}

}  // namespace

absl::StatusOr<std::int64_t> RecordReader::ReadId(std::string_view model,
                                                  const json::object& record) {
  const json::value* value = record.if_contains("id");
  if (value == nullptr) return Odd(model, 0, "id", "is missing");
  const std::optional<std::int64_t> id = AsId(*value);
  if (!id.has_value()) return Odd(model, 0, "id", "is not an id: a whole number from 1 to 2^53");
  return *id;
}

absl::Status RecordReader::Error(std::string_view field, std::string_view what) const {
  return Odd(model_, id_, field, what);
}

const json::value* RecordReader::Find(std::string_view field) const {
  const json::value* value = record_.if_contains(json::string_view(field.data(), field.size()));
  if (value == nullptr || value->is_null()) return nullptr;
  if (value->is_bool() && !value->get_bool()) return nullptr;
  return value;
}

absl::Status RecordReader::CheckPresent(std::string_view field) const {
  if (record_.if_contains(json::string_view(field.data(), field.size())) == nullptr) {
    return Error(field, "is missing");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RecordReader::Text(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) return std::string();
  const json::string* text = value->if_string();
  if (text == nullptr) return Error(field, "is not a text");
  return TextOf(*text);
}

absl::StatusOr<std::string> RecordReader::RequiredText(std::string_view field) const {
  RETURN_IF_ERROR(CheckPresent(field));
  ASSIGN_OR_RETURN(std::string text, Text(field));
  if (text.empty()) return Error(field, "is empty");
  return text;
}

absl::StatusOr<std::string> RecordReader::Time(std::string_view field) const {
  ASSIGN_OR_RETURN(std::string text, Text(field));
  if (!text.empty() && !ParseOdooTime(text).ok()) {
    return Error(field, "is not a time as Odoo writes it (YYYY-MM-DD HH:MM:SS)");
  }
  return text;
}

absl::StatusOr<std::string> RecordReader::RequiredTime(std::string_view field) const {
  RETURN_IF_ERROR(RequiredText(field));
  return Time(field);
}

absl::StatusOr<double> RecordReader::Number(std::string_view field) const {
  const json::value* value = record_.if_contains(json::string_view(field.data(), field.size()));
  if (value == nullptr) return 0.0;
  double number = 0;
  if (const double* real = value->if_double()) {
    number = *real;
  } else if (const std::int64_t* whole = value->if_int64()) {
    number = static_cast<double>(*whole);
  } else if (const std::uint64_t* large = value->if_uint64()) {
    number = static_cast<double>(*large);
  } else {
    return Error(field, "is not a number");
  }
  if (!std::isfinite(number)) return Error(field, "is not a finite number");
  return number;
}

absl::StatusOr<double> RecordReader::RequiredNumber(std::string_view field) const {
  RETURN_IF_ERROR(CheckPresent(field));
  return Number(field);
}

absl::StatusOr<Reference> RecordReader::Many2one(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) return Reference();
  const json::array* pair = value->if_array();
  if (pair == nullptr || pair->size() != 2) return Error(field, "is not a reference [id, name]");
  const std::optional<std::int64_t> id = AsId((*pair)[0]);
  if (!id.has_value()) return Error(field, "refers to something that is not an id");
  Reference reference{*id, ""};
  const json::value& name = (*pair)[1];
  if (const json::string* text = name.if_string()) {
    reference.name = TextOf(*text);
  } else if (!name.is_null() && !(name.is_bool() && !name.get_bool())) {
    return Error(field, "has a name that is not a text");
  }
  return reference;
}

absl::StatusOr<Reference> RecordReader::RequiredMany2one(std::string_view field) const {
  RETURN_IF_ERROR(CheckPresent(field));
  return Many2one(field);
}

absl::StatusOr<std::vector<std::int64_t>> RecordReader::Ids(std::string_view field) const {
  std::vector<std::int64_t> ids;
  const json::value* value = Find(field);
  if (value == nullptr) return ids;
  const json::array* list = value->if_array();
  if (list == nullptr) return Error(field, "is not a list of ids");
  ids.reserve(list->size());
  for (const json::value& item : *list) {
    const std::optional<std::int64_t> id = AsId(item);
    if (!id.has_value()) return Error(field, "holds something that is not an id");
    ids.push_back(*id);
  }
  return ids;
}

absl::StatusOr<std::vector<std::int64_t>> RecordReader::RequiredIds(std::string_view field) const {
  RETURN_IF_ERROR(CheckPresent(field));
  return Ids(field);
}

}  // namespace poller
