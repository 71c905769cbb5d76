// What an HTTP answer that is not a result says, in every protocol of Odoo.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "absl/status/status.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"

namespace poller::odoo {

// The answer says that its body is JSON.
bool IsJson(const HttpResponse& response);

// The text of a member; empty where there is none.
std::string_view TextMember(const boost::json::object& object, std::string_view name);

// The answer as an error with its kind (error_table.h), and its Retry-After. `error` is Odoo's error
// object, with `name` and `message`; null: there is none, and the page or text before it counts.
// `protocol` is the one that was spoken, `names_records`: the call named records by id. The message
// holds what the server said, not yet cut or masked.
absl::Status HttpFault(const HttpResponse& response, OdooProtocol protocol,
                       const boost::json::object* error, bool names_records);

}  // namespace poller::odoo
