// rotate-secret
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/secret_files.h"
#include "client/convert.h"
#include "client/errors.h"
#include "client/output/text.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::ConnectionService;

struct RotateOptions {
  std::string id, secret_file, overlap, out;
  bool again = false;
  bool yes = false;
};

constexpr const char* kDefaultOverlap = "24h";

// Empty: the end of the rotation that runs stays as it is.
std::string OverlapOf(const RotateOptions& options) {
  return options.overlap.empty() && !options.again ? kDefaultOverlap : options.overlap;
}

// False: said what is wrong.
bool Fill(Session& session, const RotateOptions& options,
          api::RotateWebhookSecretRequest& request) {
  *request.mutable_connection() = ParseConnectionRef(options.id);
  request.set_replace_new_secret(options.again);
  if (const std::string text = OverlapOf(options); !text.empty()) {
    const auto overlap = ParseDuration(text);
    if (!overlap.ok()) {
      session.WrongUsage(fmt::format("--overlap: {}", Message(overlap.status())));
      return false;
    }
    *request.mutable_overlap() = FromDuration(*overlap);
  }
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
  const std::string overlap = OverlapOf(options);
  if (options.again) {
    const std::string what = fmt::format(
        "Replace the new secret of {}, which nobody has? The one before goes on counting",
        options.id);
    return overlap.empty() ? what : fmt::format("{} for {}", what, overlap);
  }
  const std::string what = fmt::format("Give the webhooks of {} a new secret", options.id);
  if (overlap == "0" || overlap == "0s")
    return what + " at once? The receiver refuses them until it has it";
  return fmt::format("{}? Both count for {}", what, overlap);
}

// For a secret that the server made and that did not arrive.
void SayLost(Session& session, std::string_view what) {
  session.Note(fmt::format(
      "  hint: {}: repeat with --again, which replaces it while the one before goes on counting",
      what));
}

// An error of the server's own has a reason, and says that nothing was done.
bool MayHaveBeenDone(const grpc::Status& status) {
  if (!DetailsOf(status).reason.empty()) return false;
  switch (status.error_code()) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      return true;
    default:
      return false;
  }
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
  const bool made_there = request.secret().empty();
  if (!status.ok()) {
    const int failed = session.Fail(status);
    if (made_there && MayHaveBeenDone(status))
      SayLost(session, "if pollerctl show names a rotation now, its new secret did not arrive");
    return failed;
  }
  // gRPC sent the call again after its first answer was lost.
  if (made_there && response.secret().empty()) {
    session.Note("pollerctl: the secret was changed, but the answer that held it did not arrive");
    SayLost(session, "the new secret is lost");
    return kRefused;
  }
  if (file != nullptr) {
    if (!file->Write(session, response.secret())) {
      SayLost(session, "the new secret is lost");
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
      "pollerctl rotate-secret shop1 --overlap 0      the old one leaked: it counts no more\n"
      "pollerctl rotate-secret shop1 --again          nobody got the new one: make another",
      [options](Session& session) { return Rotate(session, *options); });
  verb.add_option("ID", options->id, "Number or exact name")->required();
  verb.add_option("--secret-file", options->secret_file,
                  "File with the new secret; - reads a line of standard input; without it the "
                  "server makes one")
      ->type_name("FILE");
  verb.add_option("--overlap", options->overlap,
                  "How long the old one counts too; 0: no more [24h; with --again: the end stays]")
      ->type_name("DURATION");
  verb.add_flag("--again", options->again,
                "Replace the new secret of the rotation that runs, because nobody received it; the "
                "old one goes on counting");
  verb.add_option("--out", options->out,
                  "New file for the secret, readable by you alone, instead of standard output")
      ->type_name("FILE");
  verb.add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace poller::client
