// What the Python poller did with each order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/storage/import_store.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// PythonPollerFile::EachOrder.
absl::Status EachPythonOrder(Database& db, std::int64_t connection,
                             const ImportedConnection::Take& take,
                             const std::function<void(const std::string&)>& bad);

}  // namespace poller
