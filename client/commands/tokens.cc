// token
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/connection_view.h"
#include "client/commands/secret_files.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"

namespace poller::client {
namespace {

using Service = api::AdminService;

std::string RoleName(api::TokenRole role) {
  switch (role) {
    case api::TOKEN_ROLE_VIEWER:
      return "viewer";
    case api::TOKEN_ROLE_OPERATOR:
      return "operator";
    case api::TOKEN_ROLE_ADMIN:
      return "admin";
    default:
      return fmt::format("role {}", static_cast<int>(role));
  }
}

std::string Named(const api::Token& token) {
  return fmt::format("token {} ({})", token.id(), Printable(token.name()));
}

// ---------------------------------------------------------------- create

struct CreateOptions {
  std::string name, role, out;
};

int Create(Session& session, const CreateOptions& options) {
  api::CreateTokenRequest request;
  request.set_name(options.name);
  for (const auto role :
       {api::TOKEN_ROLE_VIEWER, api::TOKEN_ROLE_OPERATOR, api::TOKEN_ROLE_ADMIN}) {
    if (options.role == RoleName(role)) request.set_role(role);
  }
  std::unique_ptr<SecretFile> file;
  if (!options.out.empty()) {
    file = SecretFile::Create(session, options.out);
    if (file == nullptr) return kUsage;
  }
  api::CreateTokenResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::CreateToken, request, response);
  if (!status.ok()) return session.Fail(status);
  const std::string name = Named(response.token());
  if (file != nullptr) {
    if (!file->Write(session, response.secret())) {
      session.Note(
          fmt::format("  hint: its text is lost: pollerctl token revoke {}, and make "
                      "another",
                      response.token().id()));
      return kRefused;
    }
    response.clear_secret();
  }
  if (!session.table()) {
    session.PrintMessage(response);
  } else if (file != nullptr) {
    session.io().out << fmt::format("{} is made: its text is in {}\n", name,
                                    Printable(file->path()));
  } else {
    session.io().out << Printable(response.secret()) << '\n';
    session.io().out.flush();
    session.Note(fmt::format("{} is made: keep its text, it is not shown again", name));
  }
  return kDone;
}

// ---------------------------------------------------------------- list

struct ListOptions {
  bool all = false;
};

grpc::Status ReadAll(Session& session, api::ListTokensResponse& all) {
  const auto stub = session.Stub<Service>();
  return ListUpTo(
      session, *stub, &Service::Stub::ListTokens, api::ListTokensRequest(), all, kNoLimit,
      [](const api::ListTokensResponse& so_far) -> std::int64_t { return so_far.tokens_size(); });
}

int List(Session& session, const ListOptions& options) {
  api::ListTokensResponse response;
  if (const grpc::Status status = ReadAll(session, response); !status.ok())
    return session.Fail(status);
  if (!options.all) {
    auto& tokens = *response.mutable_tokens();
    tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                                [](const api::Token& token) { return token.has_revoke_time(); }),
                 tokens.end());
  }
  if (!session.table()) {
    PrintList(session, response, response.tokens());
    return kDone;
  }
  Table table({{"ID", true}, {"NAME", false, true}, {"ROLE"}, {"MADE"}, {"LAST USED"}, {"STATE"}});
  for (const api::Token& token : response.tokens()) {
    const Cell state = token.has_revoke_time()
                           ? Cell("revoked " + Ago(session, token.revoke_time()), Colour::kDim)
                           : Cell("valid", Colour::kGood);
    table.Add({std::to_string(token.id()), token.name(), RoleName(token.role()),
               Ago(session, token.create_time()),
               token.has_last_use_time() ? Ago(session, token.last_use_time()) : "never", state});
  }
  table.Print(session.io().out, session.look());
  return kDone;
}

// ---------------------------------------------------------------- revoke

struct RevokeOptions {
  std::string id;
  bool yes = false;
};

// By number, or the valid one of that name. Empty: said why, and `code` is the exit code.
std::optional<api::Token> Find(Session& session, const std::string& id, int& code) {
  api::ListTokensResponse all;
  if (const grpc::Status status = ReadAll(session, all); !status.ok()) {
    code = session.Fail(status);
    return std::nullopt;
  }
  const api::ConnectionRef ref = ParseConnectionRef(id);
  for (const api::Token& token : all.tokens()) {
    const bool named = !token.has_revoke_time() && token.name() == ref.name();
    if (ref.has_id() ? token.id() == ref.id() : named) return token;
  }
  session.Note(
      fmt::format("pollerctl: there is no token {}\n  hint: pollerctl token list --all "
                  "shows them",
                  Printable(id)));
  code = kNotFound;
  return std::nullopt;
}

int Revoke(Session& session, const RevokeOptions& options) {
  int code = kDone;
  const auto token = Find(session, options.id, code);
  if (!token) return code;
  const std::string question =
      fmt::format("Revoke {} for good, and end its streams?", Named(*token));
  if (!Agreed(session, options.yes, question, code)) return code;
  api::RevokeTokenRequest request;
  request.set_token_id(token->id());
  api::RevokeTokenResponse response;
  const auto stub = session.Stub<Service>();
  const grpc::Status status = session.Call(*stub, &Service::Stub::RevokeToken, request, response);
  if (!status.ok()) return session.Fail(status);
  if (session.table()) {
    session.io().out << fmt::format("{} is revoked\n", Named(response.token()));
  } else {
    session.PrintMessage(response);
  }
  return kDone;
}

}  // namespace

void RegisterTokens(Registry& registry) {
  auto list = std::make_shared<ListOptions>();
  CLI::App& token = registry.Verb(
      kServer, "token", "List, create and revoke tokens: who may call",
      "pollerctl token list\npollerctl token create grafana --role viewer --out grafana.token\n"
      "pollerctl token revoke grafana",
      [list](Session& session) { return List(session, *list); });

  auto create = std::make_shared<CreateOptions>();
  CLI::App& create_verb =
      registry.SubVerb(token, "create", "Make a token and show its text, this once",
                       "pollerctl token create ops --role operator --out ops.token\n"
                       "pollerctl token create ci --role viewer > ci.token",
                       [create](Session& session) { return Create(session, *create); });
  create_verb.add_option("NAME", create->name, "Name, to know it by")->required();
  create_verb
      .add_option("--role", create->role,
                  "viewer (sees), operator (keeps things running) or admin (all)")
      ->required()
      ->type_name("ROLE")
      ->check(CLI::IsMember({"viewer", "operator", "admin"}));
  create_verb
      .add_option("--out", create->out,
                  "New file for its text, readable by you alone, instead of standard output")
      ->type_name("FILE");

  CLI::App& list_verb = registry.SubVerb(token, "list", "List tokens; never their texts",
                                         "pollerctl token list --all",
                                         [list](Session& session) { return List(session, *list); });
  list_verb.add_flag("--all", list->all, "Revoked ones too");

  auto revoke = std::make_shared<RevokeOptions>();
  CLI::App& revoke_verb =
      registry.SubVerb(token, "revoke", "End a token for good",
                       "pollerctl token revoke grafana\npollerctl token revoke 7 --yes",
                       [revoke](Session& session) { return Revoke(session, *revoke); });
  revoke_verb.add_option("ID", revoke->id, "Number or exact name")->required();
  revoke_verb.add_flag("-y,--yes", revoke->yes, "Do not ask");
}

}  // namespace poller::client
