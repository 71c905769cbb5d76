#include "server/commands/import_plan.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kRowsNamed = 20;  // of those that cannot be understood

// Fields of ours, and the columns that they come from.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kColumns = {{
    {"odoo.url", "odoo_url"},
    {"odoo.database", "odoo_db"},
    {"odoo.username", "odoo_username"},
    {"odoo.api_key", "odoo_api_key"},
    {"webhook.url", "webhook_url"},
    {"webhook.secret", "webhook_secret"},
    {"interval", "poll_interval_seconds"},
}};

std::string ColumnOf(const std::string& field) {
  for (const auto& [ours, column] : kColumns) {
    if (field == ours) return std::string(column);
  }
  return field;
}

std::string Quoted(const std::string& name) { return "\"" + SafeText(name, kMaxName) + "\""; }

std::string Named(const PythonConnection& row) {
  return "connection " + (row.name.empty() ? std::to_string(row.id) : Quoted(row.name));
}

// One external id may stand for several shops: the Odoo tells them apart.
bool IsRenamed(const ConnectionSettings& there, const ConnectionSettings& here) {
  return !there.external_id.empty() && there.odoo.url == here.odoo.url &&
         there.odoo.database == here.odoo.database;
}

// It was imported, nobody resumed it since, and there the next poll ran all the same.
bool WentOn(const PlannedConnection& there, const ConnectionWithState& here) {
  return !here.connection.pause_note.empty() &&
         there.started > here.state.started + absl::Seconds(1);
}

class Planner {
 public:
  Planner(const PlanInput& input, ImportPlan& plan) : input_(input), plan_(plan) {}

  void Add(PythonConnection row) {
    if (!names_.insert(row.name).second)
      Problem(row, "name", "is that of two connections: rename one of them");
    PlannedConnection planned;
    ConnectionSettings& settings = planned.settings;
    settings.name = row.name;
    settings.external_id = row.external_id;
    settings.odoo.url = row.odoo_url;
    settings.odoo.database = row.odoo_db;
    settings.odoo.username = row.odoo_username;
    settings.webhook.url = row.webhook_url.empty() ? input_.default_webhook_url : row.webhook_url;
    settings.webhook.legacy_secret_header = true;
    settings.interval = absl::Seconds(row.poll_interval_seconds);
    settings.paused_polling = true;
    settings.paused_delivery = true;
    std::set<std::string> told;
    if (!Open(row, "odoo_api_key", row.odoo_api_key, settings.odoo.api_key))
      told.insert("odoo.api_key");
    if (!Open(row, "webhook_secret", row.webhook_secret, settings.webhook.secret))
      told.insert("webhook.secret");
    for (const FieldViolation& violation : FieldViolations(settings.Validate())) {
      if (!told.contains(violation.field))
        Problem(row, ColumnOf(violation.field), violation.description);
    }
    ReadMarks(row, planned);
    planned.row = std::move(row);
    plan_.connections.push_back(std::move(planned));
  }

  absl::Status Count(PythonPollerFile& file, PlannedConnection& planned) {
    const auto take = [&planned](const ImportedOrder& order) {
      if (order.fate == ImportedOrder::Fate::kSent) ++planned.counts.sent;
      if (order.fate == ImportedOrder::Fate::kOwed) ++planned.counts.owed;
      if (order.fate == ImportedOrder::Fate::kGivenUp) ++planned.counts.given_up;
      return absl::OkStatus();
    };
    return file.EachOrder(planned.row.id, take, [this, &planned](const std::string& what) {
      if (++bad_rows_ <= kRowsNamed)
        plan_.problems.push_back(Named(planned.row) + ": " + what + ": mend or delete the row");
    });
  }

  void Conclude() {
    if (bad_rows_ > kRowsNamed) {
      plan_.problems.push_back("and " + std::to_string(bad_rows_ - kRowsNamed) +
                               " more rows that cannot be understood");
    }
    // One problem, not two a connection.
    if (sealed_ == 0 || refused_ < sealed_) return;
    std::erase_if(plan_.problems,
                  [](const std::string& text) { return text.ends_with(kOtherKey); });
    plan_.problems.insert(plan_.problems.begin(),
                          "the key opens none of the secrets in the old database: name the file "
                          "that holds the key of "
                          "the Python poller, its POLLER_ENCRYPTION_KEY");
  }

 private:
  static constexpr std::string_view kOtherKey =
      "was sealed with another key: add that key to the file, on a line of its own";

  void Problem(const PythonConnection& row, const std::string& field, std::string_view what) {
    plan_.problems.push_back(Named(row) + ": " + field + ": " + std::string(what));
  }

  bool Open(const PythonConnection& row, const char* column, const std::string& token,
            Secret& secret) {
    if (token.empty()) {
      Problem(row, column, "is empty: set it there first");
      return false;
    }
    ++sealed_;
    auto opened = input_.keys.Open(token);
    if (opened.ok()) {
      secret = *std::move(opened);
      return true;
    }
    const bool other_key = absl::IsPermissionDenied(opened.status());
    if (other_key) ++refused_;
    Problem(row, column,
            other_key ? std::string(kOtherKey)
                      : std::string(Message(opened.status())) + ": set it anew there");
    return false;
  }

  // Empty: InfinitePast.
  bool ReadTime(const PythonConnection& row, const char* column, const std::string& text,
                absl::Time& time) {
    if (text.empty()) return true;
    const auto parsed = ParsePythonTime(text);
    if (!parsed.ok()) {
      Problem(row, column, Message(parsed.status()));
      return false;
    }
    time = *parsed;
    return true;
  }

  // Its polls took nothing that was written before the connection existed for news, and neither do
  // ours: such a short while ago the overlap would reach back that far.
  void ReadMarks(const PythonConnection& row, PlannedConnection& planned) {
    absl::Time synced = absl::InfinitePast();
    absl::Time created = absl::InfinitePast();
    const bool read = ReadTime(row, "last_sync_at", row.last_sync_at, synced) &
                      ReadTime(row, "created_at", row.created_at, created);
    if (!read || synced == absl::InfinitePast()) return;
    if (synced > input_.now + input_.overlap) {
      Problem(row, "last_sync_at",
              "lies in the future: what was confirmed before then would never be found");
      return;
    }
    planned.started = synced;
    if (created <= synced - input_.overlap) planned.mark = synced;
  }

  const PlanInput& input_;
  ImportPlan& plan_;
  std::set<std::string> names_;
  std::size_t sealed_ = 0, refused_ = 0;
  std::size_t bad_rows_ = 0;
};

}  // namespace

absl::StatusOr<ImportPlan> PlanImport(PythonPollerFile& file, const PlanInput& input) {
  ImportPlan plan;
  Planner planner(input, plan);
  ASSIGN_OR_RETURN(std::vector<PythonConnection> rows, file.Connections());
  for (PythonConnection& row : rows) planner.Add(std::move(row));
  for (PlannedConnection& planned : plan.connections) RETURN_IF_ERROR(planner.Count(file, planned));
  planner.Conclude();
  return plan;
}

void CompareWith(const std::vector<ConnectionWithState>& here, ImportPlan& plan) {
  for (PlannedConnection& planned : plan.connections) {
    const PythonConnection& row = planned.row;
    const ConnectionWithState* known = nullptr;
    const ConnectionWithState* taken = nullptr;
    for (const ConnectionWithState& other : here) {
      const ConnectionSettings& settings = other.connection.settings;
      const bool same_name = settings.name == row.name;
      if (same_name) taken = &other;
      if (settings.external_id != row.external_id) continue;
      if (same_name || IsRenamed(planned.settings, settings)) known = &other;
      if (same_name) break;
    }
    if (known != nullptr) {
      planned.known_as = known->connection.settings.name;
      if (WentOn(planned, *known))
        plan.problems.push_back(
            Named(row) +
            ": last_sync_at: the Python poller went on after this was imported, and what it did "
            "since is not known here: start pollerd, `pollerctl delete NAME --force`, stop it, and "
            "import again");
    } else if (taken != nullptr) {
      plan.problems.push_back(Named(row) +
                              ": name: is taken here by a connection with external id " +
                              Quoted(taken->connection.settings.external_id) + ", not " +
                              Quoted(row.external_id) + ": rename one of them");
    }
  }
}

std::vector<ImportedConnection> ToImport(const ImportPlan& plan, PythonPollerFile& file) {
  std::vector<ImportedConnection> result;
  for (const PlannedConnection& planned : plan.connections) {
    if (!planned.known_as.empty()) continue;
    ImportedConnection imported;
    imported.settings = planned.settings;
    imported.pause_note = planned.row.enabled
                              ? "imported from the Python poller"
                              : "imported from the Python poller, where it was disabled";
    imported.mark = planned.mark;
    imported.started = planned.started;
    imported.orders = [&planned, &file](const ImportedConnection::Take& take) -> absl::Status {
      const std::vector<Secret> secrets = {planned.settings.odoo.api_key,
                                           planned.settings.webhook.secret};
      const auto safe = [&](const ImportedOrder& order) {
        ImportedOrder masked = order;
        masked.error = SafeText(MaskSecrets(order.error, secrets));
        masked.record = MaskSecrets(order.record, secrets);
        return take(masked);
      };
      // A row that cannot be understood stopped the import before.
      absl::Status bad = absl::OkStatus();
      RETURN_IF_ERROR(file.EachOrder(planned.row.id, safe, [&bad](const std::string& what) {
        bad = MakeStatus(absl::StatusCode::kFailedPrecondition, what);
      }));
      RETURN_IF_ERROR(bad);
      return file.CheckUnchanged();
    };
    result.push_back(std::move(imported));
  }
  return result;
}

}  // namespace poller
