// What a shell may offer at a place of the command line: read from the verbs and flags themselves,
// so that it cannot go stale.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace poller::client {

struct Candidate {
  std::string value, description;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// Where values come from that the program does not know by itself.
enum class Source {
  kNone,
  kFiles,
  kConnections,
  kContexts,
  kEventTypes,
  kJobs,
  kDeliveries,
  kOrders
};

// A place in the command line, and what may stand there.
struct Place {
  std::string prefix;  // "--output=" if the value of a flag is typed in the same word
  std::string typed;   // so much of the word or value is there
  std::vector<Candidate> candidates;  // verbs, flags, words of a list; they begin with `typed`
  Source source = Source::kNone;      // of more
  std::map<std::string, std::string> globals;  // flags of every verb that were given: "--server"
};

// `words`: all behind the program's name, up to the one that is typed, which may be empty. At least
// one.
Place Locate(const CLI::App& app, const std::vector<std::string>& words);

// A flag or place of `verb` whose value is the id or name of a connection.
bool TakesConnection(const CLI::App& verb, const CLI::Option& option);

}  // namespace poller::client
