#include "client/parse_error.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "client/exit_code.h"
#include "client/output/text.h"
#include "client/suggest.h"

namespace poller::client {
namespace {

// The verb that was named last, as it is typed: "pollerctl jobs watch".
std::string Typed(const CLI::App& verb) {
  return verb.get_parent() == nullptr ? verb.get_name()
                                      : Typed(*verb.get_parent()) + " " + verb.get_name();
}

std::vector<std::string> FlagsOf(const CLI::App* verb) {
  std::vector<std::string> flags;
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : verb->get_options()) {
      if (option->get_group().empty()) continue;
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  return flags;
}

std::vector<std::string> SubVerbsOf(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::App* sub : verb.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

// What is wrong with `word`, which nothing expects behind `verb`, and below it what was meant.
std::string Explain(const CLI::App& verb, const Registry& registry, const std::string& word) {
  const bool root = verb.get_parent() == nullptr;
  const std::string help = fmt::format("see: {} --help", Typed(verb));
  std::string problem, meant;
  if (word.starts_with("-") && word != "-") {
    const std::string flag = word.substr(0, word.find('='));
    problem = root ? fmt::format("there is no flag {}", flag)
                   : fmt::format("{} has no flag {}", Typed(verb), flag);
    // One dash or two: the letters say what was meant.
    const std::string name = flag.starts_with("--") ? flag : "-" + flag;
    if (flag.size() > 2) meant = DidYouMean(Nearest(name, FlagsOf(&verb)));
  } else if (root) {
    const std::string verb_meant = registry.Suggest(word);
    return fmt::format("there is no verb \"{}\"\n  {}", Printable(word),
                       verb_meant.empty() ? "pollerctl --help lists the verbs"
                                          : "did you mean: pollerctl " + verb_meant);
  } else if (const auto subs = SubVerbsOf(verb); !subs.empty()) {
    problem =
        fmt::format("{} has no verb \"{}\"; it has: {}", Typed(verb), word, fmt::join(subs, ", "));
    meant = DidYouMean(Nearest(word, subs));
  } else {
    problem = fmt::format("{} does not take \"{}\"", Typed(verb), word);
  }
  return fmt::format("{}\n  {}", Printable(problem), meant.empty() ? help : meant + " " + help);
}

}  // namespace

std::string HelpText(const CLI::App& app) {
  std::string help = app.help();
  // CLI11 leaves two empty lines after the last group.
  for (std::size_t at = 0; (at = help.find("\n\n\n")) != std::string::npos;) help.erase(at, 1);
  return help;
}

int ReportParseError(const CLI::App& app, const Registry& registry, const CLI::ParseError& error,
                     Io& io) {
  const CLI::App& verb = registry.Parsed();
  const std::vector<std::string> stray = app.remaining(/*recurse=*/true);
  if (&verb == &app && stray.empty() &&
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    io.err << HelpText(app);
    return kUsage;
  }
  if (!stray.empty()) {
    io.err << "pollerctl: " << Explain(verb, registry, stray.front()) << '\n';
    return kUsage;
  }
  io.err << "pollerctl: " << Printable(error.what()) << '\n';
  if (&verb != &app) io.err << fmt::format("  see: {} --help\n", Typed(verb));
  return kUsage;
}

}  // namespace poller::client
