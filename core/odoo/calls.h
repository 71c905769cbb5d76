// The questions that we ask. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/model/ids.h"
#include "core/odoo/codec.h"
#include "core/odoo/odoo_client.h"

namespace poller::odoo {

// Records by id, with these fields: `read`, but for orders `search_read`, so that the full read
// sees exactly what the listing saw.
Call ReadCall(const std::string& model, const std::vector<std::int64_t>& ids,
              const std::vector<std::string>& fields);
// `read`: unlike a search it tells a record that is gone (left out) from one that is forbidden (an
// error).
Call PlainRead(const std::string& model, const std::vector<std::int64_t>& ids,
               const std::vector<std::string>& fields);

// The listings of odoo_client.h. Times are whole seconds without zone and compared with >= and < alone:
// all else means something different in one version or another.
Call ListOrdersCall(absl::Time from, OrderId after, int limit);
Call NewestOrdersCall(int count);
Call FindByNameCall(const std::vector<std::string>& names);
Call ListChangedLinesCall(absl::Time from, absl::Time order_date_from, std::int64_t after,
                          int limit);
Call ListDatedCall(const DateRange& range, OrderId after, int limit);
Call CountDatedCall(const DateRange& range);
Call NthNewestDatedCall(const DateRange& range, int n);
// The user's own API keys.
Call ListKeysCall(std::int64_t uid);
Call CheckReadableCall(const std::string& model);
// Whether the user has the group that sees the documents of all salesmen. Since 18 the method is one
// of the user's record.
Call SeesAllDocumentsCall(std::int64_t uid, int major_version);

}  // namespace poller::odoo
