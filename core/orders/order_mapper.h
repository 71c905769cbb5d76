// From Odoo's records to our order. Pure; thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/model/order.h"

namespace poller {

// Records by id, as Odoo gave them; many2one fields are [id, display_name] or false.
using RecordMap = std::map<std::int64_t, boost::json::object>;

// What the orders of a batch refer to.
struct RelatedRecords {
  const RecordMap& lines;
  const RecordMap& partners;
  const RecordMap& products;          // archived ones too
  const RecordMap& templates;         // product.template, of the products without code and barcode
  const RecordMap& attribute_values;  // product.template.attribute.value
};

// kInvalidArgument says in words which field of which record is missing or odd, and why the order
// cannot be delivered: a dead letter's reason. Rules for SKU, names, addresses and lines: DESIGN
// "The webhook".
absl::StatusOr<Order> MapOrder(const boost::json::object& record, const RelatedRecords& related,
                               const std::string& database);

}  // namespace poller
