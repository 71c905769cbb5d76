#include "client/settings.h"

#include <fmt/format.h>

#include <utility>

#include "client/contexts.h"
#include "client/output/text.h"
#include "core/base/status.h"

namespace poller::client {
namespace {

absl::Status Bad(std::string_view message) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, message);
}

// The context that names the server, with its name; an empty name: none does.
absl::StatusOr<std::pair<std::string, Context>> Chosen(const std::string& named, bool look_current,
                                                       const Io& io) {
  if (named.empty() && !look_current) return std::pair<std::string, Context>();
  const std::string path = ContextsPath(io.env);
  if (path.empty()) {
    if (named.empty()) return std::pair<std::string, Context>();
    return Bad("contexts are kept in the home folder, and HOME is not set");
  }
  ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(path, io.env("HOME").value_or("")));
  const std::string& name = named.empty() ? contexts.current : named;
  if (name.empty()) return std::pair<std::string, Context>();
  auto context = contexts.Get(name);
  if (!context.ok()) {
    return AddContext(context.status(), named.empty() ? path + ": current" : "--context");
  }
  return std::pair(name, *std::move(context));
}

void FillTls(const GlobalFlags& flags, const Context& context, ChannelOptions& channel) {
  const bool tls = !flags.ca.empty() || !flags.cert.empty() || !flags.key.empty();
  channel.insecure = flags.Given("--insecure") ? flags.insecure : context.insecure && !tls;
  channel.ca_file = flags.ca;
  channel.cert_file = flags.cert;
  channel.key_file = flags.key;
  if (flags.Given("--insecure") && flags.insecure) return;  // against what the context says
  if (flags.ca.empty()) channel.ca_file = context.ca;
  if (flags.cert.empty() && flags.key.empty()) {
    channel.cert_file = context.cert;
    channel.key_file = context.key;
  }
}

absl::StatusOr<Format> ParseFormat(const std::string& text) {
  if (text.empty() || text == "table") return Format::kTable;
  if (text == "json") return Format::kJson;
  if (text == "jsonl") return Format::kJsonLines;
  return Bad(fmt::format("--output: \"{}\" is not table, json or jsonl", Printable(text)));
}

}  // namespace

void AddGlobalFlags(CLI::App& app, GlobalFlags& flags) {
  flags.app = &app;
  app.add_option("--context", flags.context,
                 "The server with this name: pollerctl context [the current one; "
                 "POLLERCTL_CONTEXT]")
      ->type_name("CONTEXT");
  app.add_option("--server", flags.server,
                 fmt::format("HOST:PORT or unix:PATH of the server [the context's, else {}; "
                             "POLLERCTL_SERVER]",
                             kDefaultServer))
      ->type_name("ADDRESS");
  app.add_option("--token-file", flags.token_file,
                 "File with the token [the context's; without one ./data/admin.token if it can be "
                 "read; POLLERCTL_TOKEN_FILE]")
      ->type_name("FILE");
  app.add_option("-o,--output", flags.format,
                 "How to show the answer; jsonl: one message a line "
                 "[table]")
      ->type_name("table|json|jsonl");
  app.add_option(
         "--timeout", flags.timeout,
         "How long to wait for an answer, such as 30s [the verb's own], and for the end of a "
         "job that is followed [for ever]")
      ->type_name("DURATION");
  app.add_option("--ca", flags.ca,
                 "TLS: PEM file with the authority of the server's certificate [the system's]")
      ->type_name("FILE");
  app.add_option("--cert", flags.cert, "TLS: PEM file with the client's certificate")
      ->type_name("FILE");
  app.add_option("--key", flags.key, "TLS: PEM file with its key")->type_name("FILE");
  app.add_flag("--insecure", flags.insecure,
               "Plaintext also to other machines, not only to this one");
}

absl::StatusOr<GlobalOptions> Resolve(const GlobalFlags& flags, const Io& io) {
  const auto env = [&io](const char* name) { return io.env(name).value_or(""); };
  GlobalOptions options;
  ASSIGN_OR_RETURN(options.format, ParseFormat(flags.format));
  options.timeout = flags.timeout;
  std::string server = flags.server, named = flags.context;
  if (server.empty() && named.empty()) {
    server = env("POLLERCTL_SERVER");
    named = env("POLLERCTL_CONTEXT");
  }
  ASSIGN_OR_RETURN(const auto chosen, Chosen(named, server.empty(), io));
  const auto& [name, context] = chosen;
  options.context = name;
  if (server.empty()) server = context.server;
  if (!server.empty()) options.channel.server = std::move(server);

  const std::string variable = flags.context.empty() ? env("POLLERCTL_TOKEN_FILE") : "";
  if (!flags.token_file.empty()) {
    options.token_file = flags.token_file;
    options.token_origin = "--token-file";
  } else if (!variable.empty()) {
    options.token_file = variable;
    options.token_origin = "POLLERCTL_TOKEN_FILE";
  } else {
    options.token_file = context.token_file;
    options.token_origin = fmt::format("context {}: token_file", name);
  }
  FillTls(flags, context, options.channel);
  return options;
}

absl::StatusOr<GlobalOptions> ResolveOffline(const GlobalFlags& flags) {
  GlobalOptions options;
  ASSIGN_OR_RETURN(options.format, ParseFormat(flags.format));
  return options;
}

}  // namespace poller::client
