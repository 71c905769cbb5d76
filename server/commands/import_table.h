// How an import is shown.
#pragma once

#include <string>

#include "core/storage/import_store.h"
#include "server/commands/import_plan.h"

namespace poller {

// A line a connection, and what becomes of it. Ends with a newline.
std::string ImportTable(const ImportPlan& plan);
// "3 connections, 120 orders that were sent, 2 that wait, 1 that was discarded".
std::string ImportSummary(const ImportedCounts& counts);
// Of what the plan imports.
ImportedCounts Planned(const ImportPlan& plan);

}  // namespace poller
