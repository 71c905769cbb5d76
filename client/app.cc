#include "client/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "client/commands/commands.h"
#include "client/parse_error.h"
#include "client/registry.h"
#include "client/session.h"
#include "client/settings.h"
#include "core/base/status.h"

namespace poller::client {
namespace {

constexpr const char* kExamples =
    "pollerctl add                     add a shop: asks for what it needs\n"
    "pollerctl list                    the shops and how they are\n"
    "pollerctl events                  follow everything that happens\n"
    "pollerctl retries                 what did not arrive, and why\n"
    "pollerctl order S00042            what became of an order\n"
    "pollerctl test shop1              check a shop, step by step";

// `pollerctl help VERB` is `pollerctl VERB --help`.
std::vector<std::string> WithoutHelpVerb(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments[0] == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
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
  RegisterContexts(registry, flags);
  RegisterCompletion(registry);
  if (!arguments.empty() && arguments.front() == "__complete")
    return Complete(app, {arguments.begin() + 1, arguments.end()}, io);

  std::vector<std::string> words = WithoutHelpVerb(arguments);
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    io.out << HelpText(app);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return ReportParseError(app, registry, error, io);
  }
  auto options = registry.Offline() ? ResolveOffline(flags) : Resolve(flags, io);
  if (!options.ok()) {
    io.err << "pollerctl: " << Message(options.status()) << '\n';
    return kUsage;
  }
  Session session(io, *std::move(options));
  session.set_typed_connection(registry.TypedConnection());
  if (!registry.Offline()) {
    if (const int code = session.Open(); code != kDone) return code;
  }
  const int code = registry.Run(session);
  io.out.flush();
  return code;
}

}  // namespace poller::client
