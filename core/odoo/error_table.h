// Every way in which an Odoo, or what stands before it, says no: in one table.
#pragma once

#include <string_view>

#include "core/model/connection.h"
#include "core/odoo/error_kind.h"

namespace poller::odoo {

// An answer that is not a result.
struct Fault {
  OdooProtocol protocol = OdooProtocol::kJsonRpc;  // the one that was spoken
  int http_status = 200;
  std::string_view content_type;  // of the answer; parameters do no harm
  std::string_view name;     // "odoo.exceptions.AccessError"; empty: not an error object of Odoo
  std::string_view message;  // of the error object, else the body or a part of it
  bool has_retry_after = false;  // a Retry-After header was there
  bool names_records = false;    // the call named records by id
};

// Pure. One table for JSON-RPC and JSON-2: the names of errors are the same, the statuses tell only
// where a server or proxy speaks before Odoo does. Messages may be in the user's language, so only what Odoo never
// translates decides where it can, and what remains unknown is taken for the fault of a record if
// records were named, else for a server that does not work.
ErrorKind Classify(const Fault& fault);

}  // namespace poller::odoo
