// `execute_kw`: one method of one model with Python's rules for arguments. Knows no protocol: a
// codec per edge (odoo_json_rpc) brings calls here and carries results and errors back.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "tests/support/odoo_database.h"

namespace poller::test {

struct ModelCall {
  std::string model;
  std::string method;
  boost::json::array args;
  boost::json::object kwargs;  // with "context", if any
};

struct CallResult {
  std::optional<boost::json::value> value;  // none: the method returns nothing
  absl::Duration delay;                     // what the records met cost
  bool hangs = false;
};

// Runs the call as `user`. Throws OdooError.
CallResult Execute(SimDatabase& database, const SimUser& user, const ModelCall& call);

}  // namespace poller::test
