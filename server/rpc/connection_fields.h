// The settings of a connection, one by one: how each is read from a request, and whether it
// differs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"
#include "core/model/connection.h"
#include "odoopoller/v1/connection.pb.h"

namespace poller::rpc {

struct ConnectionField {
  std::string_view path;  // in odoopoller.v1.Connection
  // Takes the field from `from`; unset ones get their default. What cannot be said in settings is
  // added to `violations`, with fields as paths in the connection.
  void (*read)(const odoopoller::v1::Connection& from, ConnectionSettings& to,
               std::vector<FieldViolation>& violations);
  bool (*same)(const ConnectionSettings& a, const ConnectionSettings& b);
  bool secret = false;      // input only, cannot be unset
  bool credential = false;  // logging in to Odoo depends on it
};
// Those that an update may name.
const std::vector<ConnectionField>& ConnectionFields();

// Reads what can be set when creating alone: start_from and the pauses.
void ReadInitialFields(const odoopoller::v1::Connection& from, ConnectionSettings& to,
                       absl::Time now, std::vector<FieldViolation>& violations);

}  // namespace poller::rpc
