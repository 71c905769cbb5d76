// The verbs of the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/session.h"

namespace poller::client {

// Collects verbs; the one that was parsed is run. The app outlives it.
class Registry {
 public:
  using Action = std::function<int(Session&)>;

  explicit Registry(CLI::App& app) : app_(app) {}

  // Adds a verb to a group of the help. `examples` are whole command lines, one a line. Returns it
  // for its flags.
  CLI::App& Verb(const std::string& group, const std::string& name, const std::string& description,
                 const std::string& examples, Action action);
  // A verb below `parent`, which runs by itself when none of them is named.
  CLI::App& SubVerb(CLI::App& parent, const std::string& name, const std::string& description,
                    const std::string& examples, Action action);
  // Puts `around` around what the verb does.
  void Wrap(const CLI::App& verb, const std::function<Action(Action)>& around) {
    actions_[&verb] = around(std::move(actions_[&verb]));
  }
  // Such a verb needs no server: it runs in a session that is not open.
  void MarkOffline(const CLI::App& verb) { offline_.insert(&verb); }
  // The verb that was parsed is such a one.
  bool Offline() const { return offline_.contains(&Parsed()); }
  // Runs the verb that was parsed.
  int Run(Session& session) const;
  // The verb that was parsed, or the app if none was.
  const CLI::App& Parsed() const;
  // The connection that the user named on the command line; empty: none.
  std::string TypedConnection() const;
  // The verb that was meant by `word`; empty: none is near.
  std::string Suggest(std::string_view word) const;

 private:
  CLI::App& app_;
  std::set<const CLI::App*> offline_;
  std::map<const CLI::App*, Action> actions_;
  std::vector<std::string> names_;
};

// Help that begins with what the verb does and with examples.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace poller::client
