// Answers of Odoo as records. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/odoo/odoo_client.h"

namespace poller::odoo {

// Larger ids are none of Odoo's.
inline constexpr std::int64_t kMaxRecordId = std::int64_t{1} << 53;

// A list of objects, each with an id from 1 to kMaxRecordId, none twice. Else kGarbage.
absl::StatusOr<std::vector<boost::json::object>> TakeRecords(boost::json::value answer);
// A whole number from 1 to kMaxRecordId.
bool IsRecordId(const boost::json::value* value);
// The record's id; TakeRecords has checked it.
std::int64_t RecordId(const boost::json::object& record);
// By id. kGarbage if there is one that was not asked for.
absl::StatusOr<RecordMap> IndexRecords(std::vector<boost::json::object> records,
                                       const std::vector<std::int64_t>& asked);

// Rows of listings. kGarbage: a field is missing or odd.
absl::StatusOr<ListedOrder> ReadListedOrder(const boost::json::object& record);
absl::StatusOr<ListedLine> ReadListedLine(const boost::json::object& record);

// What a record refers to. Odd values are passed over: the mapper refuses the order that has them,
// and only that.
std::int64_t ReferredId(const boost::json::object& record, std::string_view field);  // 0: none
void AddReferredIds(const boost::json::object& record, std::string_view field,
                    std::set<std::int64_t>& ids);
// False where the text is absent, false or empty.
bool HasText(const boost::json::object& record, std::string_view field);

}  // namespace poller::odoo
