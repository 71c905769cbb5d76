// What the version of an Odoo tells. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/connection.h"

namespace poller::odoo {

// "17.0", "saas~18.3": the series that an answer to `common.version` or `/web/version` names.
// kGarbage: it names none.
absl::StatusOr<std::string> ReadVersion(const boost::json::value& answer);

// 17 of "17.0", 18 of "saas~18.3"; 0: unknown.
int MajorVersion(std::string_view version);

// "JSON-RPC", "JSON-2"; "not chosen yet".
std::string_view ProtocolName(OdooProtocol protocol);

// JSON-2 exists from 19 on.
inline constexpr int kFirstWithJson2 = 19;
// Keys tell when they end from 18 on.
inline constexpr int kFirstWithKeyExpiry = 18;

// What an operator should know of the protocol in use: that JSON-RPC is used although there is
// JSON-2, or that its removal is less than a year away (Odoo has announced Online 21.1, winter 2027,
// and Odoo 22, fall 2028). Empty: nothing. `url` tells Odoo Online from the rest.
std::string ProtocolWarning(std::string_view version, OdooProtocol in_use, std::string_view url,
                            absl::Time now);
// The URL is of Odoo Online: *.odoo.com.
bool IsOdooOnline(std::string_view url);

}  // namespace poller::odoo
