#include "client/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "client/commands/commands.h"
#include "client/output/text.h"
#include "client/registry.h"
#include "client/session.h"

namespace poller::client {
namespace {

constexpr const char* kExamples =
    "pollerctl add                     add a shop: asks for what it needs\n"
    "pollerctl list                    the shops and how they are\n"
    "pollerctl events                  follow everything that happens\n"
    "pollerctl retries                 what did not arrive, and why\n"
    "pollerctl order S00042            what became of an order\n"
    "pollerctl test shop1              check a shop, step by step";

struct GlobalFlags {
  std::string server, token_file, timeout, format, ca, cert, key;
  bool insecure = false;
};

void AddGlobalFlags(CLI::App& app, GlobalFlags& flags) {
  app.add_option(
         "--server", flags.server,
         fmt::format("HOST:PORT or unix:PATH of the server [{}; POLLERCTL_SERVER]", kDefaultServer))
      ->type_name("ADDRESS");
  app.add_option("--token-file", flags.token_file,
                 "File with the token [./data/admin.token if it can be read; POLLERCTL_TOKEN_FILE]")
      ->type_name("FILE");
  app.add_option("-o,--output", flags.format, "table, json, or jsonl: one message a line [table]")
      ->type_name("FORMAT");
  app.add_option("--timeout", flags.timeout,
                 "How long to wait for an answer, such as 30s [the verb's own]")
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

// CLI11 leaves two empty lines after the last group.
std::string Help(const CLI::App& app) {
  std::string help = app.help();
  for (std::size_t at = 0; (at = help.find("\n\n\n")) != std::string::npos;) help.erase(at, 1);
  return help;
}

int Usage(Io& io, const std::string& message) {
  io.err << "pollerctl: " << Printable(message) << '\n';
  return kUsage;
}

// The first word that is no flag and that nobody expected.
std::string StrayWord(const CLI::App& app) {
  for (const std::string& word : app.remaining()) {
    if (!word.starts_with("-")) return word;
  }
  return "";
}

int ReportParseError(const CLI::App& app, const Registry& registry, const CLI::ParseError& error,
                     Io& io) {
  const auto parsed = app.get_subcommands();
  if (parsed.empty()) {
    const std::string word = StrayWord(app);
    if (word.empty() && app.remaining().empty() &&
        dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
      io.err << Help(app);
      return kUsage;
    }
    if (!word.empty()) {
      const std::string meant = registry.Suggest(word);
      Usage(io, fmt::format("there is no verb \"{}\"", word));
      io.err << "  "
             << (meant.empty() ? "pollerctl --help lists the verbs"
                               : "did you mean: pollerctl " + meant)
             << '\n';
      return kUsage;
    }
  }
  const int code = Usage(io, error.what());
  if (!parsed.empty())
    io.err << fmt::format("  see: pollerctl {} --help\n", parsed.front()->get_name());
  return code;
}

// `pollerctl help VERB` is `pollerctl VERB --help`.
std::vector<std::string> WithoutHelpVerb(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments[0] == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
}

int ToOptions(const GlobalFlags& flags, Io& io, GlobalOptions& options) {
  const auto or_env = [&io](const std::string& flag, const char* name) {
    return flag.empty() ? io.env(name).value_or("") : flag;
  };
  if (std::string server = or_env(flags.server, "POLLERCTL_SERVER"); !server.empty()) {
    options.channel.server = std::move(server);
  }
  options.token_file = or_env(flags.token_file, "POLLERCTL_TOKEN_FILE");
  options.timeout = flags.timeout;
  options.channel.ca_file = flags.ca;
  options.channel.cert_file = flags.cert;
  options.channel.key_file = flags.key;
  options.channel.insecure = flags.insecure;
  if (flags.format.empty() || flags.format == "table") {
    options.format = Format::kTable;
  } else if (flags.format == "json") {
    options.format = Format::kJson;
  } else if (flags.format == "jsonl") {
    options.format = Format::kJsonLines;
  } else {
    return Usage(io, fmt::format("--output: \"{}\" is not table, json or jsonl", flags.format));
  }
  return kDone;
}

}  // namespace

int RunClient(const std::vector<std::string>& arguments, Io& io) {
  CLI::App app("Operate an Odoo Order Poller: shops, orders and what became of them.", "pollerctl");
  app.footer(kExamples);
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show this and exit");
  app.fallthrough();
  app.require_subcommand(1);
  GlobalFlags flags;
  AddGlobalFlags(app, flags);
  Registry registry(app);
  RegisterAll(registry);

  std::vector<std::string> words = WithoutHelpVerb(arguments);
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    io.out << Help(app);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return ReportParseError(app, registry, error, io);
  }
  GlobalOptions options;
  if (const int code = ToOptions(flags, io, options); code != kDone) return code;
  Session session(io, std::move(options));
  if (const int code = session.Open(); code != kDone) return code;
  const int code = registry.Run(session);
  io.out.flush();
  return code;
}

}  // namespace poller::client
