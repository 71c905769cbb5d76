// A receiver of webhooks as a program, for the demo and for tests of whole processes.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/support/http_server.h"
#include "tests/support/program.h"
#include "tests/support/receiver.h"
#include "tests/support/receiver_control.h"

namespace poller::test {
namespace {

struct Flags {
  std::uint16_t port = 0;
  std::string secret_file;
  std::string secrets_file;
  bool check_legacy_header = false;
  int tolerance_days = 0;
  int max_seconds = 600;
};

// Lines of "SENDER SECRET", or of "SECRET" alone for all others.
bool ReadSecrets(const std::string& path, WebhookReceiver& receiver) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "receiver: cannot read %s\n", path.c_str());
    return false;
  }
  for (std::string line; std::getline(file, line);) {
    const std::size_t space = line.find(' ');
    if (line.empty()) continue;
    if (space == std::string::npos) {
      receiver.AddSecret("", line);
    } else {
      receiver.AddSecret(line.substr(0, space), line.substr(space + 1));
    }
  }
  return true;
}

int Run(const Flags& flags) {
  HoldStopSignals();
  WebhookReceiver::Options checks;
  checks.check_legacy_header = flags.check_legacy_header;
  if (flags.tolerance_days > 0) checks.tolerance = absl::Hours(24 * flags.tolerance_days);
  WebhookReceiver receiver(checks);
  for (const std::string& path : {flags.secret_file, flags.secrets_file}) {
    if (!path.empty() && !ReadSecrets(path, receiver)) return 1;
  }
  HttpServer::Options options;
  options.port = flags.port;
  options.on_head = [&](const TestRequest& head) -> std::optional<TestReply> {
    if (IsReceiverControl(head)) return std::nullopt;
    return receiver.HandleHead(head);
  };
  auto server = HttpServer::Start(options, HttpServer::Immediate([&](const TestRequest& request) {
                                    return IsReceiverControl(request)
                                               ? HandleReceiverControl(receiver, request)
                                               : receiver.Handle(request);
                                  }));
  if (!server.ok()) {
    std::fprintf(stderr, "receiver: %s\n", server.status().ToString().c_str());
    return 1;
  }
  std::fprintf(stderr, "listening on 127.0.0.1:%d\n", (*server)->port());
  RunUntilStopped(absl::Seconds(flags.max_seconds), absl::Seconds(1), [] {});
  (*server)->Stop();
  return 0;
}

}  // namespace
}  // namespace poller::test

int main(int argc, char** argv) {
  poller::test::Flags flags;
  CLI::App app(
      "A receiver of webhooks on 127.0.0.1. Control it under /receiver/ "
      "(tests/support/receiver_control.h).");
  app.add_option("--port", flags.port, "0: any free one")->capture_default_str();
  app.add_option("--secret-file", flags.secret_file,
                 "the secret for every sender that has none of its own");
  app.add_option("--secrets-file", flags.secrets_file,
                 "lines of \"CONNECTION-ID SECRET\" or \"/PATH SECRET\"");
  app.add_flag("--check-legacy-header", flags.check_legacy_header, "also wants X-Webhook-Secret");
  app.add_option("--tolerance-days", flags.tolerance_days,
                 "takes timestamps that are so far from its clock; else 5 minutes");
  app.add_option("--max-seconds", flags.max_seconds, "ends by itself after that")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return poller::test::Run(flags);
}
