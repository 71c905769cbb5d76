// Orders with all that belongs to them in ONE call: `web_read`, the web client's own method. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/odoo/codec.h"
#include "core/odoo/odoo_client.h"

namespace poller::odoo {

// The fields of each model that this Odoo has (fields.h).
struct NestedFields {
  std::vector<std::string> order, line, partner, product, product_template, attribute_value;
};

Call NestedReadCall(const std::vector<std::int64_t>& ids, const NestedFields& fields);

// The answer in the shape that plain reads give: flat records by id, many2one as [id, display_name].
// It was read in one transaction of Odoo, so that nothing is torn. kGarbage: something that was
// asked for is not there, or odd; plain reads may tell why.
absl::StatusOr<FetchedOrders> UnfoldNested(boost::json::value answer,
                                           const std::vector<std::int64_t>& asked,
                                           const NestedFields& fields);

}  // namespace poller::odoo
