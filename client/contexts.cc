#include "client/contexts.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "client/output/text.h"
#include "client/suggest.h"
#include "core/base/status.h"

namespace poller::client {
namespace {

struct PathSetting {
  const char* key;
  std::string Context::* field;
};
constexpr PathSetting kPaths[] = {
    {"token_file", &Context::token_file},
    {"ca", &Context::ca},
    {"cert", &Context::cert},
    {"key", &Context::key},
};
const std::vector<std::string> kSettings = {"server", "token_file", "ca",
                                            "cert",   "key",        "insecure"};

// Reads the tree that the library made, and says where what it does not like stands.
class Reader {
 public:
  Reader(const std::string& path, const std::string& home)
      : path_(path), folder_(path.substr(0, path.find_last_of('/'))), home_(home) {}

  absl::StatusOr<Contexts> Read(const toml::table& root) const {
    Contexts contexts;
    for (const auto& [key, node] : root) {
      if (key == "current") {
        ASSIGN_OR_RETURN(contexts.current, Text("current", node));
      } else if (key == "contexts") {
        const toml::table* tables = node.as_table();
        if (tables == nullptr)
          return Bad(node, "contexts: must be a table: write [contexts.NAME] above the settings");
        for (const auto& [name, value] : *tables) {
          ASSIGN_OR_RETURN(contexts.named[std::string(name.str())],
                           One(std::string(name.str()), value));
        }
      } else {
        return Unknown(key, "", {"current", "contexts"});
      }
    }
    return contexts;
  }

  absl::Status Bad(const toml::source_region& where, std::string_view what) const {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      fmt::format("{}:{}: {}", path_, where.begin.line, Printable(what)));
  }

 private:
  absl::Status Bad(const toml::node& node, std::string_view what) const {
    return Bad(node.source(), what);
  }

  absl::Status Unknown(const toml::key& key, const std::string& table,
                       const std::vector<std::string>& known) const {
    std::string what = fmt::format("{}{}: there is no such setting; there are: {}", table,
                                   key.str(), fmt::join(known, ", "));
    const std::string meant = DidYouMean(Nearest(key.str(), known));
    if (!meant.empty()) what += "; " + meant;
    return Bad(key.source(), what);
  }

  absl::StatusOr<std::string> Text(const std::string& key, const toml::node& node) const {
    const auto text = node.value_exact<std::string>();
    if (!text) return Bad(node, fmt::format("{}: must be a text in quotes", key));
    if (text->find('\0') != std::string::npos)
      return Bad(node, fmt::format("{}: has a zero byte", key));
    return *text;
  }

  absl::StatusOr<Context> One(const std::string& name, const toml::node& node) const {
    if (const absl::Status named = CheckContextName(name); !named.ok())
      return Bad(node, fmt::format("contexts.{}: {}", name, Message(named)));
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return Bad(node, fmt::format("contexts.{}: must be a table: write [contexts.{}] above its "
                                   "settings",
                                   name, name));
    }
    Context context;
    for (const auto& [key, value] : *table) {
      const std::string prefix = fmt::format("contexts.{}.", name);
      const std::string full = prefix + std::string(key.str());
      if (key == "server") {
        ASSIGN_OR_RETURN(context.server, Text(full, value));
      } else if (key == "insecure") {
        const auto flag = value.value_exact<bool>();
        if (!flag) return Bad(value, full + ": must be true or false");
        context.insecure = *flag;
      } else if (key == "token") {
        return Bad(key.source(),
                   full +
                       ": a token is never in this file: put it into a file of its own, and "
                       "write token_file = 'PATH'");
      } else {
        const auto* setting =
            std::find_if(std::begin(kPaths), std::end(kPaths),
                         [&key](const PathSetting& known) { return key == known.key; });
        if (setting == std::end(kPaths)) return Unknown(key, prefix, kSettings);
        ASSIGN_OR_RETURN(context.*(setting->field), Path(full, value));
      }
    }
    return context;
  }

  absl::StatusOr<std::string> Path(const std::string& key, const toml::node& node) const {
    ASSIGN_OR_RETURN(std::string path, Text(key, node));
    if (path.starts_with("~/")) return home_ + path.substr(1);
    if (path.empty() || path.starts_with('/')) return path;
    return folder_ + "/" + path;
  }

  const std::string path_, folder_, home_;
};

}  // namespace

std::vector<std::string> Contexts::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, context] : named) names.push_back(name);
  return names;
}

absl::StatusOr<Context> Contexts::Get(const std::string& name) const {
  if (const auto found = named.find(name); found != named.end()) return found->second;
  std::string hint = DidYouMean(Nearest(name, Names()));
  if (hint.empty()) {
    hint = named.empty() ? "pollerctl context set NAME --server HOST:PORT makes one"
                         : "pollerctl context list shows them";
  }
  return MakeStatus(absl::StatusCode::kNotFound,
                    fmt::format("there is no context \"{}\"\n  {}", Printable(name), hint));
}

absl::Status CheckContextName(std::string_view name) {
  const bool good = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
  if (good && !name.empty() && name.size() <= 64 && name[0] != '-') return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    fmt::format("\"{}\" is no name for a context: take 1 to 64 letters, digits, "
                                "\"-\", \"_\" and \".\"",
                                Printable(name)));
}

absl::StatusOr<Contexts> ParseContexts(std::string_view text, const std::string& path,
                                       const std::string& home) {
  const Reader reader(path, home);
  try {
    return reader.Read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return reader.Bad(error.source(), error.description());
  }
}

std::string FormatContexts(const Contexts& contexts) {
  toml::table named;
  for (const auto& [name, context] : contexts.named) {
    toml::table table;
    if (!context.server.empty()) table.insert("server", context.server);
    for (const PathSetting& setting : kPaths) {
      if (!(context.*setting.field).empty()) table.insert(setting.key, context.*setting.field);
    }
    if (context.insecure) table.insert("insecure", true);
    named.insert(name, std::move(table));
  }
  toml::table root;
  if (!contexts.current.empty()) root.insert("current", contexts.current);
  if (!named.empty()) root.insert("contexts", std::move(named));
  std::ostringstream out;
  out << "# Contexts of pollerctl: pollerctl context --help\n" << root << '\n';
  return out.str();
}

}  // namespace poller::client
