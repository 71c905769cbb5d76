#include "server/commands/import_table.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"

namespace poller {
namespace {

constexpr std::size_t kMaxCell = 60;

using Cells = std::vector<std::string>;

std::string FateOf(const PlannedConnection& planned, bool problems) {
  const std::string& name = planned.row.name;
  if (planned.known_as == name && !name.empty()) return "is here already: left alone";
  if (!planned.known_as.empty())
    return "is here already, as " + SafeText(planned.known_as, kMaxCell) + ": left alone";
  if (problems) return "not imported: see below";
  return planned.row.enabled ? "will be imported, paused"
                             : "will be imported, paused (disabled there)";
}

Cells RowOf(const PlannedConnection& planned, bool problems) {
  const PythonConnection& row = planned.row;
  return {SafeText(row.name, kMaxCell),
          SafeText(row.external_id, kMaxCell),
          SafeText(MaskSecrets(row.odoo_url,
                               {planned.settings.odoo.api_key, planned.settings.webhook.secret}),
                   kMaxCell),
          SafeText(row.odoo_db, kMaxCell),
          std::to_string(row.poll_interval_seconds) + "s",
          row.last_sync_at.empty() ? "never" : SafeText(row.last_sync_at, kMaxCell),
          std::to_string(planned.counts.sent),
          std::to_string(planned.counts.owed),
          std::to_string(planned.counts.given_up),
          FateOf(planned, problems)};
}

// Characters, not bytes.
std::size_t WidthOf(const std::string& cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string ImportTable(const ImportPlan& plan) {
  std::vector<Cells> rows = {{"NAME", "EXTERNAL ID", "ODOO", "DATABASE", "EVERY", "LAST SYNC (UTC)",
                              "SENT", "PENDING", "DISCARDED", "RESULT"}};
  for (const PlannedConnection& planned : plan.connections)
    rows.push_back(RowOf(planned, !plan.problems.empty()));
  std::vector<std::size_t> widths(rows.front().size());
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  for (const Cells& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - WidthOf(row[i]) + 2, ' ');
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

ImportedCounts Planned(const ImportPlan& plan) {
  ImportedCounts sum;
  for (const PlannedConnection& planned : plan.connections) {
    if (!planned.known_as.empty()) continue;
    ++sum.connections;
    sum.sent += planned.counts.sent;
    sum.owed += planned.counts.owed;
    sum.given_up += planned.counts.given_up;
  }
  return sum;
}

std::string ImportSummary(const ImportedCounts& counts) {
  return "connections: " + std::to_string(counts.connections) +
         ", orders that were sent: " + std::to_string(counts.sent) +
         ", that wait: " + std::to_string(counts.owed) +
         ", that were discarded: " + std::to_string(counts.given_up);
}

}  // namespace poller
