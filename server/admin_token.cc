#include "server/admin_token.h"

#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/secret.h"
#include "core/base/status.h"
#include "server/files.h"
#include "server/rpc/authenticator.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMinToken = 32;
constexpr std::string_view kAdminName = "admin";
constexpr int kMostNames = 1000;

Secret Trimmed(const Secret& secret) {
  const std::string& text = secret.Reveal();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return Secret();
  return Secret(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// Nothing: there is no file. kFailedPrecondition: it holds no token, or cannot be read.
absl::StatusOr<std::optional<Secret>> TokenOfFile(const fs::path& path) {
  const auto content = ReadSmallFile(path);
  if (absl::IsNotFound(content.status())) return std::nullopt;
  RETURN_IF_ERROR(content);
  Secret token = Trimmed(*content);
  if (token.size() >= kMinToken) return token;
  return MakeStatus(absl::StatusCode::kFailedPrecondition,
                    path.string() +
                        " holds no token (at least 32 characters): remove it, and a new one is "
                        "made");
}

// Under the first of "admin", "admin 2", ... that no live token has.
absl::Status Store(TokenStore& tokens, const Secret& token, absl::Time now) {
  absl::Status stored;
  for (int i = 1; i <= kMostNames; ++i) {
    const std::string name = std::string(kAdminName) + (i == 1 ? "" : " " + std::to_string(i));
    stored = tokens.Create(name, Role::kAdmin, token, Actor{}, now).status();
    if (Reason(stored) != "NAME_TAKEN") return stored;
  }
  return stored;
}

// The file first: a token that only the database has would be nobody's.
absl::Status MakeNew(const fs::path& path, TokenStore& tokens, RandomSource& random,
                     const Clock& clock, Logger& log) {
  const Secret token = rpc::MakeToken(random);
  RETURN_IF_ERROR(ReplaceSecretFile(path, Secret(token.Reveal() + "\n")));
  RETURN_IF_ERROR(Store(tokens, token, clock.Now()));
  log.Info("made a token for the administrator", {{"file", path.string()}});
  return absl::OkStatus();
}

absl::StatusOr<bool> IsValid(TokenStore& tokens, const Secret& token) {
  const auto found = tokens.Find(token);
  if (absl::IsUnauthenticated(found.status())) return false;
  RETURN_IF_ERROR(found);
  return found->role == Role::kAdmin;
}

void WarnOfFile(const fs::path& path, TokenStore& tokens, Logger& log) {
  const auto token = TokenOfFile(path);
  const auto valid = token.ok() && *token ? IsValid(tokens, **token) : absl::StatusOr<bool>(false);
  if (!valid.ok() || *valid) return;
  const bool missing = token.ok() && !*token;
  log.Warning(missing ? "there is no file with the administrator's token; if nobody has another "
                        "one, stop and run: pollerd admin-token"
                      : "the file does not hold a valid token of an administrator; if nobody has "
                        "another one, stop and run: pollerd admin-token",
              {{"file", path.string()}});
}

}  // namespace

absl::Status EnsureAdminToken(const Options& options, TokenStore& tokens, RandomSource& random,
                              const Clock& clock, Logger& log) {
  const fs::path path = options.AdminTokenFile();
  ASSIGN_OR_RETURN(const bool stored, tokens.HasAdmin());
  if (stored) {
    WarnOfFile(path, tokens, log);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::optional<Secret> token, TokenOfFile(path));
  if (!token) return MakeNew(path, tokens, random, clock, log);
  const absl::Status kept = Store(tokens, *token, clock.Now());
  if (Reason(kept) != "TOKEN_KNOWN") return kept;
  log.Warning("the token in the file was revoked, or is not an administrator's: replacing it",
              {{"file", path.string()}});
  return MakeNew(path, tokens, random, clock, log);
}

absl::Status RenewAdminToken(const Options& options, TokenStore& tokens, RandomSource& random,
                             const Clock& clock, Logger& log) {
  const fs::path path = options.AdminTokenFile();
  if (const auto token = TokenOfFile(path); token.ok() && *token) {
    ASSIGN_OR_RETURN(const bool valid, IsValid(tokens, **token));
    if (valid) {
      return MakeStatus(absl::StatusCode::kFailedPrecondition,
                        path.string() + " holds a valid token of an administrator already");
    }
  }
  return MakeNew(path, tokens, random, clock, log);
}

}  // namespace poller
