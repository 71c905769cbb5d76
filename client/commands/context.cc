// context
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "client/commands/commands.h"
#include "client/contexts.h"
#include "client/output/text.h"
#include "core/base/status.h"

namespace poller::client {
namespace {

namespace json = boost::json;

std::string Home(Session& session) { return session.io().env("HOME").value_or(""); }
std::string Path(Session& session) { return ContextsPath(session.io().env); }

// Reads the file, lets `change` work on it, and writes it if that went well.
template <class Change>
int Edit(Session& session, const Change& change) {
  const std::string path = Path(session);
  if (path.empty())
    return session.WrongUsage("contexts are kept in the home folder, and HOME is not set");
  auto contexts = LoadContexts(path, Home(session));
  if (!contexts.ok()) return session.WrongUsage(Message(contexts.status()));
  if (const int code = change(*contexts); code != kDone) return code;
  if (const absl::Status saved = SaveContexts(path, *contexts); !saved.ok()) {
    session.WrongUsage(Message(saved));
    return kRefused;
  }
  return kDone;
}

int NotFound(Session& session, const absl::Status& status) {
  session.WrongUsage(Message(status));
  return kNotFound;
}

std::string ServerOf(const Context& context) {
  return context.server.empty() ? kDefaultServer : context.server;
}

std::string TransportOf(const Context& context) {
  if (context.insecure) return "plaintext";
  if (!context.cert.empty()) return "mutual TLS";
  if (!context.ca.empty()) return "TLS, own CA";
  const auto target = ParseTarget(ServerOf(context));
  return target.ok() && target->local ? "plaintext, local" : "TLS";
}

json::object ToJson(const std::string& name, const Context& context, bool current) {
  return {{"name", name},
          {"current", current},
          {"server", ServerOf(context)},
          {"tokenFile", context.token_file},
          {"ca", context.ca},
          {"cert", context.cert},
          {"key", context.key},
          {"insecure", context.insecure}};
}

void PrintValue(Session& session, const json::value& value) {
  session.io().out << json::serialize(value) << '\n';
}

// ---------------------------------------------------------------- list, show

int List(Session& session) {
  const std::string path = Path(session);
  auto contexts = path.empty() ? Contexts() : LoadContexts(path, Home(session));
  if (!contexts.ok()) return session.WrongUsage(Message(contexts.status()));
  if (session.table() && contexts->named.empty()) {
    session.Note(
        "no contexts yet: pollerctl context set NAME --server HOST:PORT --token-file FILE");
    return kDone;
  }
  Table table({{" "}, {"NAME"}, {"SERVER"}, {"TRANSPORT"}, {"TOKEN FILE", false, true}});
  json::array all;
  for (const auto& [name, context] : contexts->named) {
    const bool current = name == contexts->current;
    const Colour colour = current ? Colour::kGood : Colour::kNone;
    table.Add({Cell(current ? "*" : "", colour), Cell(name, colour), ServerOf(context),
               TransportOf(context), context.token_file.empty() ? "-" : context.token_file});
    all.push_back(ToJson(name, context, current));
  }
  if (session.format() == Format::kJson) {
    PrintValue(session, json::object{{"contexts", all}});
  } else if (session.format() == Format::kJsonLines) {
    for (const json::value& one : all) PrintValue(session, one);
  } else {
    table.Print(session.io().out, session.look());
  }
  return kDone;
}

int Show(Session& session, const std::string& wanted) {
  const std::string path = Path(session);
  auto contexts = path.empty() ? Contexts() : LoadContexts(path, Home(session));
  if (!contexts.ok()) return session.WrongUsage(Message(contexts.status()));
  const std::string& name = wanted.empty() ? contexts->current : wanted;
  if (name.empty()) {
    session.Note("no context is current: pollerctl context use NAME");
    return kNotFound;
  }
  const auto context = contexts->Get(name);
  if (!context.ok()) return NotFound(session, context.status());
  const bool current = name == contexts->current;
  if (!session.table()) {
    PrintValue(session, ToJson(name, *context, current));
    return kDone;
  }
  Fields fields;
  fields.Add("Name", name + (current ? " (current)" : ""));
  fields.Add("Server", ServerOf(*context));
  fields.Add("Transport", TransportOf(*context));
  fields.Add("Token file", context->token_file.empty() ? "none" : context->token_file);
  if (!context->ca.empty()) fields.Add("CA", context->ca);
  if (!context->cert.empty()) fields.Add("Certificate", context->cert);
  if (!context->key.empty()) fields.Add("Key", context->key);
  fields.Add("Kept in", path);
  fields.Print(session.io().out, session.look());
  return kDone;
}

// ---------------------------------------------------------------- set

// A path of the command line, so that it means the same from every folder.
std::string Absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.lexically_normal().string();
}

int Apply(Session& session, const GlobalFlags& flags, Context& context) {
  if (flags.Given("--server")) context.server = flags.server;
  if (!context.server.empty()) {
    if (const auto target = ParseTarget(context.server); !target.ok())
      return session.WrongUsage(fmt::format("--server: {}", Message(target.status())));
  }
  if (flags.Given("--token-file")) context.token_file = Absolute(flags.token_file);
  if (flags.Given("--ca")) context.ca = Absolute(flags.ca);
  if (flags.Given("--cert")) context.cert = Absolute(flags.cert);
  if (flags.Given("--key")) context.key = Absolute(flags.key);
  if (flags.Given("--insecure")) context.insecure = flags.insecure;
  if (context.cert.empty() != context.key.empty())
    return session.WrongUsage("--cert and --key belong together");
  if (context.insecure && !(context.ca.empty() && context.cert.empty())) {
    return session.WrongUsage(
        "--insecure excludes --ca, --cert and --key: --insecure=false or --ca \"\" takes back what "
        "the context has");
  }
  return kDone;
}

void NoteMissingFiles(Session& session, const Context& context) {
  for (const std::string& file : {context.token_file, context.ca, context.cert, context.key}) {
    std::error_code error;
    if (!file.empty() && !std::filesystem::exists(file, error))
      session.Note(fmt::format("pollerctl: {} does not exist yet", Printable(file)));
  }
}

int Set(Session& session, const GlobalFlags& flags, const std::string& name) {
  if (const absl::Status good = CheckContextName(name); !good.ok())
    return session.WrongUsage(Message(good));
  bool added = false, current = false;
  Context context;
  const int code = Edit(session, [&](Contexts& contexts) {
    added = !contexts.named.contains(name);
    if (added && flags.server.empty())
      return session.WrongUsage(fmt::format("\"{}\" is new: say --server HOST:PORT", name));
    if (!added) context = contexts.named[name];
    if (const int applied = Apply(session, flags, context); applied != kDone) return applied;
    contexts.named[name] = context;
    if (contexts.current.empty()) contexts.current = name;
    current = contexts.current == name;
    return kDone;
  });
  if (code != kDone) return code;
  NoteMissingFiles(session, context);
  if (session.table()) {
    session.io().out << fmt::format(
        "context {} was {}{}\n", name, added ? "added" : "changed",
        current ? "; it is the current one" : "; pollerctl context use " + name + " selects it");
  } else {
    PrintValue(session, ToJson(name, context, current));
  }
  return kDone;
}

// ---------------------------------------------------------------- use, delete

int Use(Session& session, const std::string& name) {
  Context context;
  const int code = Edit(session, [&](Contexts& contexts) {
    auto found = contexts.Get(name);
    if (!found.ok()) return NotFound(session, found.status());
    context = *std::move(found);
    contexts.current = name;
    return kDone;
  });
  if (code != kDone) return code;
  if (session.table()) {
    session.io().out << fmt::format("{} is the current context: {}\n", name,
                                    Printable(ServerOf(context)));
  } else {
    PrintValue(session, ToJson(name, context, true));
  }
  return kDone;
}

int Delete(Session& session, const std::string& name) {
  bool current = false;
  Context context;
  const int code = Edit(session, [&](Contexts& contexts) {
    auto found = contexts.Get(name);
    if (!found.ok()) return NotFound(session, found.status());
    context = *std::move(found);
    current = contexts.current == name;
    if (current) contexts.current.clear();
    contexts.named.erase(name);
    return kDone;
  });
  if (code != kDone) return code;
  if (session.table()) {
    session.io().out << fmt::format("context {} was deleted{}\n", name,
                                    current ? "; none is current now" : "");
  } else {
    PrintValue(session, ToJson(name, context, false));
  }
  return kDone;
}

}  // namespace

void RegisterContexts(Registry& registry, const GlobalFlags& flags) {
  CLI::App& verb =
      registry.Verb(kClient, "context", "Keep servers by name: list, show, set, use, delete",
                    "pollerctl context set prod --server poller.example:50051 --token-file "
                    "prod.token --ca ca.pem\n"
                    "pollerctl context use prod       from now on\n"
                    "pollerctl --context prod list    this once",
                    List);
  registry.MarkOffline(verb);
  registry.MarkOffline(registry.SubVerb(verb, "list", "List the contexts; * is the current one",
                                        "pollerctl context list -o json", List));
  const auto with_name = [&](const char* name, const char* description, const char* examples,
                             auto run) {
    auto context = std::make_shared<std::string>();
    CLI::App& sub =
        registry.SubVerb(verb, name, description, examples,
                         [context, run](Session& session) { return run(session, *context); });
    registry.MarkOffline(sub);
    return sub.add_option("CONTEXT", *context, "Its name");
  };
  with_name("show", "Show a context [the current one]", "pollerctl context show prod", Show);
  with_name(
      "set", "Add or change a context: with the flags that every verb takes",
      "pollerctl context set prod --server poller.example:50051 --token-file prod.token\n"
      "pollerctl context set prod --ca \"\"               takes a setting back",
      [&flags](Session& session, const std::string& name) { return Set(session, flags, name); })
      ->required();
  with_name("use", "Make a context the current one", "pollerctl context use prod", Use)->required();
  with_name("delete", "Forget a context; the files that it names stay",
            "pollerctl context delete prod", Delete)
      ->required();
}

}  // namespace poller::client
