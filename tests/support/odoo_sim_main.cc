// A simulated Odoo as a program, for the demo and for tests of whole processes.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/odoo_sim_control.h"
#include "tests/support/program.h"

namespace poller::test {
namespace {

struct Flags {
  std::uint16_t port = 0;
  std::vector<std::string> databases = {"shop1"};
  int version = 17;
  double orders_per_second = 1;
  int initial_orders = 0;
  std::uint64_t seed = 1;
  int max_seconds = 600;
  bool verbose = false;
};

int Run(const Flags& flags) {
  HoldStopSignals();
  OdooSim sim({.version = flags.version});
  for (const std::string& name : flags.databases) {
    sim.AddDatabase(name);
    std::fprintf(stderr, "database %s: login admin, key admin-key\n", name.c_str());
  }
  OdooSimControl control(sim, flags.seed);
  for (const std::string& name : flags.databases) {
    for (int i = 0; i < flags.initial_orders; ++i) control.generator(name).ConfirmOne();
  }
  HttpServer::Options options;
  options.port = flags.port;
  auto server = HttpServer::Start(options, HttpServer::Immediate([&](const TestRequest& request) {
                                    return OdooSimControl::Owns(request) ? control.Handle(request)
                                                                         : sim.Handle(request);
                                  }));
  if (!server.ok()) {
    std::fprintf(stderr, "odoo_sim: %s\n", server.status().ToString().c_str());
    return 1;
  }
  std::fprintf(stderr, "listening on 127.0.0.1:%d\n", (*server)->port());

  const absl::Duration start = SystemClock().Monotonic();
  double made = 0;
  RunUntilStopped(absl::Seconds(flags.max_seconds), absl::Milliseconds(50), [&] {
    control.CommitDue(SystemClock().Now());
    const double due =
        absl::ToDoubleSeconds(SystemClock().Monotonic() - start) * flags.orders_per_second;
    for (; made < due; ++made) {
      const auto shop = static_cast<std::size_t>(made) % flags.databases.size();
      const std::string did = control.generator(flags.databases[shop]).Step();
      if (flags.verbose) std::fprintf(stderr, "%s\n", did.c_str());
    }
  });
  (*server)->Stop();
  return 0;
}

}  // namespace
}  // namespace poller::test

int main(int argc, char** argv) {
  poller::test::Flags flags;
  CLI::App app(
      "A simulated Odoo on 127.0.0.1. Control it under /sim/ (tests/support/odoo_sim_control.h).");
  app.add_option("--port", flags.port, "0: any free one")->capture_default_str();
  app.add_option("--databases", flags.databases, "names, separated by commas")->delimiter(',');
  app.add_option("--version", flags.version)->check(CLI::Range(16, 22))->capture_default_str();
  app.add_option("--orders-per-second", flags.orders_per_second, "all databases together; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--initial-orders", flags.initial_orders, "confirmed before the start, a database")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", flags.seed)->capture_default_str();
  app.add_option("--max-seconds", flags.max_seconds, "ends by itself after that")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--verbose", flags.verbose, "says what happens in the shops");
  CLI11_PARSE(app, argc, argv);
  return poller::test::Run(flags);
}
