// rotate-secret
#include <fmt/format.h>

#include <memory>
#include <string>

#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/secret_files.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::ConnectionService;

struct RotateOptions {
  std::string id, secret_file, overlap = "24h", out;
  bool yes = false;
};

// False: said what is wrong.
bool Fill(Session& session, const RotateOptions& options,
          api::RotateWebhookSecretRequest& request) {
  *request.mutable_connection() = ParseConnectionRef(options.id);
  const auto overlap = ParseDuration(options.overlap);
  if (!overlap.ok()) {
    session.WrongUsage(fmt::format("--overlap: {}", Message(overlap.status())));
    return false;
  }
  *request.mutable_overlap() = FromDuration(*overlap);
  if (options.secret_file.empty()) return true;
  auto content = ReadValue(session.io(), options.secret_file);
  if (!content.ok()) {
    session.WrongUsage(fmt::format("--secret-file: {}", Message(content.status())));
    return false;
  }
  request.set_secret(WithoutLineEnd(*std::move(content)));
  if (request.secret().empty()) {
    session.WrongUsage("--secret-file: it holds no secret");
    return false;
  }
  return true;
}

std::string Question(const RotateOptions& options) {
  const std::string what = fmt::format("Give the webhooks of {} a new secret", options.id);
  if (options.overlap == "0" || options.overlap == "0s")
    return what + " at once? The receiver refuses them until it has it";
  return fmt::format("{}? Both count for {}", what, options.overlap);
}

void Say(Session& session, const api::Connection& connection) {
  const auto& webhook = connection.webhook();
  std::string text = fmt::format("{} has a new secret", Named(connection));
  if (webhook.has_rotation_end_time()) {
    text +=
        fmt::format("; the one before counts too until {}: give the receiver the new one by then",
                    poller::FormatTime(ToTime(webhook.rotation_end_time())));
  }
  session.Note(text);
}

int Rotate(Session& session, const RotateOptions& options) {
  api::RotateWebhookSecretRequest request;
  if (!Fill(session, options, request)) return kUsage;
  if (!options.out.empty() && !options.secret_file.empty())
    return session.WrongUsage(
        "--out is for a secret that the server makes: not with --secret-file");
  int code = kDone;
  if (!Agreed(session, options.yes, Question(options), code)) return code;
  std::unique_ptr<SecretFile> file;
  if (!options.out.empty()) {
    file = SecretFile::Create(session, options.out);
    if (file == nullptr) return kUsage;
  }
  api::RotateWebhookSecretResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status =
      session.Call(*stub, &Service::Stub::RotateWebhookSecret, request, response);
  if (!status.ok()) return session.Fail(status);
  if (file != nullptr) {
    if (!file->Write(session, response.secret())) {
      session.Note(
          "  hint: the new secret is lost: before the overlap ends, give back the one that the "
          "receiver has (--secret-file F --overlap 0), then rotate again");
      return kRefused;
    }
    response.clear_secret();
  }
  if (!session.table()) {
    session.PrintMessage(response);
    return kDone;
  }
  if (!response.secret().empty()) {
    session.io().out << Printable(response.secret()) << '\n';
    session.io().out.flush();
  }
  Say(session, response.connection());
  return kDone;
}

}  // namespace

void RegisterRotate(Registry& registry) {
  auto options = std::make_shared<RotateOptions>();
  CLI::App& verb = registry.Verb(
      kShops, "rotate-secret", "Give a shop's webhooks a new secret, both counting for a while",
      "pollerctl rotate-secret shop1 --out shop1.whsec\n"
      "pollerctl rotate-secret shop1 --overlap 7d --secret-file new.whsec\n"
      "pollerctl rotate-secret shop1 --overlap 0      the old one leaked: it counts no more",
      [options](Session& session) { return Rotate(session, *options); });
  verb.add_option("ID", options->id, "Number or exact name")->required();
  verb.add_option("--secret-file", options->secret_file,
                  "File with the new secret; - reads a line of standard input; without it the "
                  "server makes one")
      ->type_name("FILE");
  verb.add_option("--overlap", options->overlap,
                  "How long the old one counts too; 0: no more [24h]")
      ->type_name("DURATION");
  verb.add_option("--out", options->out,
                  "New file for the secret, readable by you alone, instead of standard output")
      ->type_name("FILE");
  verb.add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace poller::client
