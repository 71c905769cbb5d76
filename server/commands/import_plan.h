// What an import from the Python poller would do, and what speaks against it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/crypto/fernet.h"
#include "core/storage/connection_store.h"
#include "core/storage/import_store.h"
#include "core/storage/sqlite/python_poller_file.h"

namespace poller {

struct PlannedConnection {
  PythonConnection row;
  ConnectionSettings settings;  // with opened secrets; paused
  absl::Time mark = absl::InfinitePast(), started = absl::InfinitePast();  // ImportedConnection
  ImportedCounts counts;                                                   // of its orders
  std::string known_as;  // it is here already, under this name; empty: it is to be imported
};

struct ImportPlan {
  std::vector<PlannedConnection> connections;
  // Each names connection or row, field, and what to do. None: it can be done.
  std::vector<std::string> problems;
};

struct PlanInput {
  const FernetKeys& keys;
  std::string default_webhook_url;  // for connections without one
  absl::Duration overlap;           // of the polls
  absl::Time now;
};

// Reads all of the file, opens and checks everything, and lists every problem, not just the first.
// Errors: those of reading the file.
absl::StatusOr<ImportPlan> PlanImport(PythonPollerFile& file, const PlanInput& input);

// Finds out which are here already: those of the same name and external id, and those whose external
// id, Odoo and database are here under another name. A name that is taken by something else is a
// problem; so is one that was imported, never resumed, and synced there since.
void CompareWith(const std::vector<ConnectionWithState>& here, ImportPlan& plan);

// Those that are not here yet. `file` and `plan` outlive the result.
std::vector<ImportedConnection> ToImport(const ImportPlan& plan, PythonPollerFile& file);

}  // namespace poller
