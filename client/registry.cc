#include "client/registry.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "client/completion.h"
#include "client/suggest.h"

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

const CLI::App& Registry::Parsed() const {
  const CLI::App* verb = &app_;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  return *verb;
}

std::string Registry::TypedConnection() const {
  for (const CLI::Option* option : Parsed().get_options()) {
    if (option->count() > 0 && TakesConnection(Parsed(), *option)) return option->results().front();
  }
  return "";
}

int Registry::Run(Session& session) const {
  const auto found = actions_.find(&Parsed());
  return found == actions_.end() ? kUsage : found->second(session);
}

std::string Registry::Suggest(std::string_view word) const {
  for (const auto& [typed, meant] : kSynonyms) {
    if (typed == word) return std::string(meant);
  }
  const std::vector<std::string> near = Nearest(word, names_);
  return near.empty() ? "" : near.front();
}

HelpFormatter::HelpFormatter() {
  column_width(kHelpColumn);
  label("SUBCOMMAND", "VERB");
  label("OPTIONS", "FLAGS");
}

// "--watch{2s}" is a flag that may have a value: "--watch[=2s]".
std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  std::string name = CLI::Formatter::make_option_name(option, is_positional);
  const std::size_t open = name.find('{');
  const std::size_t close = name.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return name;
  return name.substr(0, open) + "[=" + name.substr(open + 1, close - open - 1) + "]" +
         name.substr(close + 1);
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
