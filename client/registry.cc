#include "client/registry.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace poller::client {
namespace {

constexpr std::size_t kHelpColumn = 34;

// What people type who come from other tools.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kSynonyms = {{
    {"ls", "list"},
    {"rm", "delete"},
    {"remove", "delete"},
    {"get", "show"},
    {"describe", "show"},
    {"create", "add"},
    {"new", "add"},
    {"update", "edit"},
    {"set", "edit"},
    {"enable", "resume"},
    {"disable", "pause"},
    {"trigger", "poll"},
    {"resend", "send"},
    {"queue", "retries"},
    {"watch", "events"},
    {"reset", "reset-circuit"},
}};

}  // namespace

CLI::App& Registry::Verb(const std::string& group, const std::string& name,
                         const std::string& description, const std::string& examples,
                         Action action) {
  CLI::App* verb = app_.add_subcommand(name, description);
  verb->group(group);
  verb->footer(examples);
  actions_[verb] = std::move(action);
  names_.push_back(name);
  return *verb;
}

CLI::App& Registry::SubVerb(CLI::App& parent, const std::string& name,
                            const std::string& description, const std::string& examples,
                            Action action) {
  CLI::App* verb = parent.add_subcommand(name, description);
  verb->footer(examples);
  actions_[verb] = std::move(action);
  return *verb;
}

int Registry::Run(Session& session) const {
  const CLI::App* verb = &app_;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  const auto found = actions_.find(verb);
  return found == actions_.end() ? kUsage : found->second(session);
}

std::string Registry::Suggest(std::string_view word) const {
  for (const auto& [typed, meant] : kSynonyms) {
    if (typed == word) return std::string(meant);
  }
  const std::size_t tolerance = std::max<std::size_t>(1, std::min<std::size_t>(2, word.size() / 2));
  std::string best;
  std::size_t distance = tolerance + 1;
  for (const std::string& name : names_) {
    if (const std::size_t d = EditDistance(word, name); d < distance) {
      distance = d;
      best = name;
    }
  }
  return best;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

HelpFormatter::HelpFormatter() {
  column_width(kHelpColumn);
  label("SUBCOMMAND", "VERB");
  label("OPTIONS", "FLAGS");
}

// Without what validators add: the description says it in words.
std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const std::string type = option->get_type_name();
  return option->get_type_size() == 0 || type.empty() ? "" : " " + type.substr(0, type.find(':'));
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  std::ostringstream out;
  out << app->get_description() << "\n";
  if (const std::string examples = app->get_footer(); !examples.empty()) {
    out << "\nExamples:\n";
    std::istringstream lines(examples);
    for (std::string line; std::getline(lines, line);) out << "  " << line << "\n";
    out << "\n";
  }
  return out.str();
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  return app->get_parent() != nullptr ? "Flags for every verb: pollerctl --help\n"
                                      : "Flags of a verb: pollerctl VERB --help\n";
}

}  // namespace poller::client
