#include "client/completion.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>
#include <string_view>

namespace poller::client {
namespace {

bool Visible(const CLI::App* verb) { return !verb->get_group().empty(); }

std::vector<const CLI::Option*> Options(const CLI::App& verb) { return verb.get_options(); }

// The flag with that name ("--output", "-o"), of `verb` or of those above it.
const CLI::Option* FindFlag(const CLI::App* verb, const std::string& name) {
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : Options(*verb)) {
      if (!option->get_positional() && option->check_name(name)) return option;
    }
  }
  return nullptr;
}

const CLI::Option* Positional(const CLI::App& verb, std::size_t index) {
  const CLI::Option* last = nullptr;
  for (const CLI::Option* option : Options(verb)) {
    if (!option->get_positional()) continue;
    last = option;
    if (index-- == 0) return option;
  }
  // A list takes all that follow.
  return last != nullptr && last->get_items_expected_max() > 1 ? last : nullptr;
}

const CLI::App* SubVerb(const CLI::App& verb, const std::string& name) {
  for (const CLI::App* sub : verb.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name() == name) return sub;
  }
  return nullptr;
}

std::string NameOf(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return option.get_snames().empty() ? "" : "-" + option.get_snames().front();
}

// "table|json|TEXT" offers table and json: what is not in small letters stands for something.
std::vector<std::string> ListedWords(const CLI::Option& option) {
  std::vector<std::string> words;
  const std::string type = option.get_type_name();
  if (type.find('|') == std::string::npos) return words;
  for (std::size_t begin = 0; begin <= type.size();) {
    const std::size_t end = std::min(type.find('|', begin), type.size());
    const std::string word = type.substr(begin, end - begin);
    const bool literal = std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '_';
    });
    if (literal && !word.empty()) words.push_back(word);
    begin = end + 1;
  }
  return words;
}

Source SourceOf(const CLI::App& verb, const CLI::Option& option) {
  // Without what a validator adds: "N:POSITIVE".
  std::string type = option.get_positional() ? option.get_name(true) : option.get_type_name();
  type.resize(std::min(type.find(':'), type.size()));
  if (TakesConnection(verb, option)) return Source::kConnections;
  if (type == "FILE") return Source::kFiles;
  if (type == "CONTEXT") return Source::kContexts;
  if (type == "TYPE") return Source::kEventTypes;
  if (!option.get_positional()) return Source::kNone;
  if (type == "NAME" && verb.get_name() == "order") return Source::kOrders;
  if (type != "N") return Source::kNone;
  return verb.get_parent()->get_name() == "jobs" ? Source::kJobs : Source::kDeliveries;
}

// Walks over the words that are complete.
class Walk {
 public:
  explicit Walk(const CLI::App& app) : verb_(&app) {}

  void Take(const std::string& word) {
    if (value_ != nullptr) {
      Keep(*value_, word);
      value_ = nullptr;
    } else if (!literal_ && word == "--") {
      literal_ = true;
    } else if (!literal_ && word.size() > 1 && word[0] == '-') {
      TakeFlag(word);
    } else if (const CLI::App* sub = positionals_ == 0 ? SubVerb(*verb_, word) : nullptr) {
      verb_ = sub;
    } else {
      ++positionals_;
    }
  }

  Place At(const std::string& word) {
    Place place;
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const CLI::Option* option = value_;
    if (option == nullptr && !literal_ && equals != std::string::npos) {
      option = FindFlag(verb_, word.substr(0, equals));
      place.prefix = word.substr(0, equals + 1);
    }
    place.typed = word.substr(place.prefix.size());
    if (option != nullptr) {
      AddValues(*option, place);
    } else if (!literal_ && word.starts_with("-")) {
      AddFlags(place);
    } else {
      if (positionals_ == 0) AddVerbs(place);
      if (const CLI::Option* positional = Positional(*verb_, positionals_))
        AddValues(*positional, place);
    }
    place.globals = globals_;
    return place;
  }

 private:
  void TakeFlag(const std::string& word) {
    const std::size_t equals = word.find('=');
    const CLI::Option* option = FindFlag(verb_, word.substr(0, equals));
    if (option == nullptr) return;
    given_.insert(option);
    if (option->get_items_expected_max() == 0) return;  // takes no value
    if (equals == std::string::npos) {
      value_ = option;
    } else {
      Keep(*option, word.substr(equals + 1));
    }
  }

  void Keep(const CLI::Option& option, const std::string& value) {
    const CLI::App* root = verb_;
    while (root->get_parent() != nullptr) root = root->get_parent();
    const auto options = Options(*root);
    if (std::find(options.begin(), options.end(), &option) != options.end())
      globals_[NameOf(option)] = value;
  }

  static void Add(Place& place, const std::string& value, const std::string& description) {
    if (value.starts_with(place.typed)) place.candidates.push_back({value, description});
  }

  void AddVerbs(Place& place) const {
    for (const CLI::App* sub : verb_->get_subcommands(Visible)) {
      Add(place, sub->get_name(), sub->get_description());
    }
  }

  void AddFlags(Place& place) const {
    for (const CLI::App* verb = verb_; verb != nullptr; verb = verb->get_parent()) {
      for (const CLI::Option* option : Options(*verb)) {
        const bool over = given_.contains(option) && option->get_items_expected_max() <= 1;
        // Help stands at every level; once is enough.
        const bool again = verb != verb_ && option == verb->get_help_ptr();
        if (option->get_positional() || option->get_group().empty() || over || again) continue;
        Add(place, NameOf(*option), option->get_description());
      }
    }
  }

  void AddValues(const CLI::Option& option, Place& place) const {
    for (const std::string& word : ListedWords(option)) Add(place, word, "");
    place.source = SourceOf(*verb_, option);
  }

  const CLI::App* verb_;
  std::size_t positionals_ = 0;         // words that are no flags behind the verb
  const CLI::Option* value_ = nullptr;  // its value comes next
  bool literal_ = false;                // behind "--" nothing is a flag
  std::set<const CLI::Option*> given_;
  std::map<std::string, std::string> globals_;
};

}  // namespace

bool TakesConnection(const CLI::App& verb, const CLI::Option& option) {
  // The ID of `token revoke` is a token's.
  const CLI::App* parent = verb.get_parent();
  if (parent != nullptr && parent->get_name() == "token") return false;
  return option.get_positional() ? option.get_name(true) == "ID" : option.check_lname("connection");
}

Place Locate(const CLI::App& app, const std::vector<std::string>& words) {
  Walk walk(app);
  // `help VERB` is `VERB --help`.
  const std::size_t first = words.size() > 1 && words[0] == "help" ? 1 : 0;
  for (std::size_t i = first; i + 1 < words.size(); ++i) walk.Take(words[i]);
  return walk.At(words.back());
}

}  // namespace poller::client
