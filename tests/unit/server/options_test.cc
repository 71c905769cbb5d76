#include "server/options.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "server/command_line.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& arguments,
                                  const Environment& environment = {}) {
  return ParseCommandLine(arguments, environment);
}

// One valid value of each setting that differs from its default, and one that is not allowed
// (empty: all are).
struct Sample {
  std::string flag, good, bad;
};
const std::vector<Sample>& Samples() {
  static const auto* const samples = new std::vector<Sample>{
      {"--data-dir", "/tmp/x", ""},
      {"--db-path", "/tmp/x.db", ""},
      {"--encryption-key-file", "/tmp/x.key", ""},
      {"--listen", "127.0.0.1:0", "127.0.0.1"},
      {"--tls-cert", "/tmp/cert", ""},
      {"--tls-key", "/tmp/key", ""},
      {"--tls-client-ca", "/tmp/ca", ""},
      {"--insecure-listen", "", ""},
      {"--default-webhook-url", "https://hook.example/in", "hook.example"},
      {"--egress-allow", "10.0.0.0/8", "10.0.0.0/33"},
      {"--egress-allow-http", "", ""},
      {"--odoo-ca", "/tmp/ca", ""},
      {"--webhook-ca", "/tmp/ca", ""},
      {"--threads", "3", "0"},
      {"--max-requests", "16", "0"},
      {"--deliveries-per-connection", "2", "-1"},
      {"--calls-per-token", "2", "0"},
      {"--streams-per-token", "2", "0"},
      {"--response-budget", "128MiB", "1MB"},
      {"--max-response", "1MiB", "1"},
      {"--overlap", "10m", "1s"},
      {"--sweep-interval", "2h", "1s"},
      {"--sweep-window", "72h", "1m"},
      {"--odoo-rate", "0.5", "fast"},
      {"--odoo-rate", "auto", "0.01"},
      {"--retry-base", "5s", "5"},
      {"--retry-max", "1h", "never"},
      {"--retry-jitter", "0.2", "1"},
      {"--retry-max-attempts", "3", "many"},
      {"--breaker-failures", "3", "0"},
      {"--breaker-open", "30s", "0"},
      {"--breaker-successes", "1", "0"},
      {"--odoo-timeout", "10s", "0"},
      {"--webhook-timeout", "10s", "2h"},
      {"--retention-events", "2d", "1s"},
      {"--retention-logs", "2d", "1s"},
      {"--retention-ledger", "2d", "1s"},
      {"--min-free-disk", "1GiB", "much"},
      {"--shutdown-grace", "1s", "2h"},
      {"--log-level", "debug", "loud"},
      {"--log-format", "json", "xml"},
  };
  return *samples;
}

TEST(SettingsTest, HaveASampleEach) {
  std::set<std::string> sampled, there;
  for (const Sample& sample : Samples()) sampled.insert(sample.flag);
  for (const Setting& setting : Settings()) there.emplace(setting.flag);
  EXPECT_EQ(sampled, there);
}

TEST(SettingsTest, AreNamedWithTheirDefaultsInTheHelp) {
  const std::string help = HelpText();
  for (const Setting& setting : Settings()) {
    EXPECT_THAT(help, HasSubstr("  " + std::string(setting.flag)));
    EXPECT_THAT(help, HasSubstr(setting.Variable() + ", default: " + std::string(setting.initial)));
  }
}

TEST(SettingsTest, RefuseABadValueNamingTheFlag) {
  for (const Sample& sample : Samples()) {
    if (sample.bad.empty()) continue;
    EXPECT_THAT(Parse({sample.flag, sample.bad}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(sample.flag), HasSubstr(sample.bad))));
  }
}

TEST(SettingsTest, RefuseABadVariableNamingIt) {
  for (const Setting& setting : Settings()) {
    for (const Sample& sample : Samples()) {
      if (sample.flag != setting.flag || sample.bad.empty()) continue;
      EXPECT_THAT(Parse({}, {{setting.Variable(), sample.bad}}),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(setting.Variable())));
    }
  }
}

TEST(SettingsTest, TakeAGoodValueFromFlagAndVariableAlike) {
  for (const Setting& setting : Settings()) {
    for (const Sample& sample : Samples()) {
      if (sample.flag != setting.flag) continue;
      Options options;
      EXPECT_THAT(setting.apply(options, setting.IsSwitch() ? "true" : sample.good), IsOk())
          << sample.flag;
    }
  }
}

TEST(CommandLineTest, IsEmptyAndSafeWithoutArguments) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({}));
  EXPECT_EQ(line.command, Command::kServe);
  EXPECT_THAT(line.options.Listen(), ElementsAre("127.0.0.1:50051"));
  EXPECT_EQ(line.options.DbPath(), "./data/poller.db");
  EXPECT_EQ(line.options.KeyFile(), "./data/encryption.key");
  EXPECT_TRUE(line.options.egress.allow.empty());
  EXPECT_FALSE(line.options.insecure_listen);
}

TEST(CommandLineTest, PrefersTheFlagToTheVariable) {
  ASSERT_OK_AND_ASSIGN(
      const CommandLine line,
      Parse({"--retry-base", "5s"}, {{"POLLER_RETRY_BASE", "7s"}, {"POLLER_RETRY_MAX", "9s"}}));
  EXPECT_EQ(line.options.retry.base, absl::Seconds(5));
  EXPECT_EQ(line.options.retry.max, absl::Seconds(9));
}

TEST(CommandLineTest, TakesAnEmptyVariableForUnset) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({}, {{"POLLER_DEFAULT_WEBHOOK_URL", ""},
                                                          {"POLLER_EGRESS_ALLOW", ""}}));
  EXPECT_EQ(line.options.default_webhook_url, "");
  EXPECT_TRUE(line.options.egress.allow.empty());
}

TEST(CommandLineTest, RepeatsListsAndSplitsTheirVariables) {
  ASSERT_OK_AND_ASSIGN(const CommandLine flags,
                       Parse({"--listen", "127.0.0.1:1", "--listen", "unix:/tmp/s",
                              "--egress-allow=10.0.0.0/8", "--egress-allow", "192.168.0.0/16"}));
  EXPECT_THAT(flags.options.Listen(), ElementsAre("127.0.0.1:1", "unix:/tmp/s"));
  EXPECT_EQ(flags.options.egress.allow.size(), 2);
  ASSERT_OK_AND_ASSIGN(const CommandLine variables,
                       Parse({}, {{"POLLER_LISTEN", "127.0.0.1:1,[::1]:2"},
                                  {"POLLER_EGRESS_ALLOW", "10.0.0.0/8,127.0.0.0/8"}}));
  EXPECT_THAT(variables.options.Listen(), ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_EQ(variables.options.egress.allow.size(), 2);
}

TEST(CommandLineTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(Parse({"--retry-bass", "5s"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--retry-bass")));
  EXPECT_THAT(Parse({"serv"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("serv")));
  EXPECT_THAT(Parse({"--listen"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--listen")));
}

TEST(CommandLineTest, WarnsOfVariablesThatLookLikeOurs) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({}, {{"POLLER_RETRY_BASS", "5s"},
                                                          {"POLLER_LOG_LEVEL", "debug"},
                                                          {"POLLERCTL_SERVER", "x"},
                                                          {"HOME", "/"}}));
  EXPECT_THAT(line.warnings, ElementsAre("POLLER_RETRY_BASS"));
}

TEST(CommandLineTest, FindsItsCommands) {
  EXPECT_EQ(Parse({"check", "--data-dir", "x"})->command, Command::kCheck);
  EXPECT_EQ(Parse({"--data-dir", "x", "check"})->options.data_dir, "x");
  EXPECT_EQ(Parse({"keygen"})->command, Command::kKeygen);
  const auto restore = Parse({"restore", "copy.db", "--data-dir", "x"});
  ASSERT_OK(restore.status());
  EXPECT_EQ(restore->command, Command::kRestore);
  EXPECT_EQ(restore->file, "copy.db");
  EXPECT_EQ(restore->options.data_dir, "x");
  const auto admin_token = Parse({"admin-token", "--data-dir", "x"});
  ASSERT_OK(admin_token.status());
  EXPECT_EQ(admin_token->command, Command::kAdminToken);
  EXPECT_EQ(admin_token->options.data_dir, "x");
  EXPECT_THAT(Parse({"restore"}), StatusIs(absl::StatusCode::kInvalidArgument));
  const auto import = Parse(
      {"import", "--from", "old.db", "--fernet-key-file", "key", "--dry-run", "--data-dir", "x"});
  ASSERT_OK(import.status());
  EXPECT_EQ(import->command, Command::kImport);
  EXPECT_EQ(import->import.from, "old.db");
  EXPECT_EQ(import->import.fernet_key_file, "key");
  EXPECT_TRUE(import->import.dry_run);
  EXPECT_FALSE(import->import.yes);
  EXPECT_EQ(import->options.data_dir, "x");
  EXPECT_THAT(Parse({"import", "--from", "old.db"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--fernet-key-file")));
  EXPECT_EQ(Parse({"--help"})->command, Command::kHelp);
  EXPECT_EQ(Parse({"check", "-h"})->command, Command::kHelp);
  EXPECT_EQ(Parse({"import", "--help"})->command, Command::kHelp);
  EXPECT_EQ(Parse({"restore", "-h"})->command, Command::kHelp);
  EXPECT_EQ(Parse({"--version"})->command, Command::kVersion);
}

TEST(CommandLineTest, TakesTheKeyFromItsVariableOnly) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({}, {{"POLLER_ENCRYPTION_KEY", "key"}}));
  EXPECT_EQ(line.options.encryption_key.Reveal(), "key");
  EXPECT_THAT(Parse({"--encryption-key", "key"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Parse({"--encryption-key-file", "f"}, {{"POLLER_ENCRYPTION_KEY", "key"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("give one")));
}

TEST(CommandLineTest, TakesTheKeyOutOfTheProcess) {
  ASSERT_EQ(setenv("POLLER_ENCRYPTION_KEY", "very-secret", 1), 0);
  const char* const place = getenv("POLLER_ENCRYPTION_KEY");
  const Environment environment = TakeEnvironment();
  EXPECT_EQ(environment.at("POLLER_ENCRYPTION_KEY"), "very-secret");
  EXPECT_EQ(getenv("POLLER_ENCRYPTION_KEY"), nullptr);
  EXPECT_EQ(place[0], '\0');
}

TEST(OptionsTest, WantTlsBeyondLoopback) {
  for (const char* const local :
       {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1", "unix:/tmp/s"}) {
    EXPECT_THAT(Parse({"--listen", local}), IsOk()) << local;
  }
  for (const char* const open : {"0.0.0.0:1", "192.168.1.1:1", "[::]:1", "pollerd.example:1"}) {
    EXPECT_THAT(Parse({"--listen", open}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--insecure-listen")))
        << open;
    EXPECT_THAT(Parse({"--listen", open, "--insecure-listen"}), IsOk()) << open;
    EXPECT_THAT(Parse({"--listen", open, "--tls-cert", "c", "--tls-key", "k"}), IsOk()) << open;
  }
}

TEST(OptionsTest, RefuseCombinationsThatMakeNoSense) {
  EXPECT_THAT(Parse({"--tls-cert", "c"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--tls-key")));
  EXPECT_THAT(Parse({"--tls-client-ca", "c"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--tls-client-ca")));
  EXPECT_THAT(Parse({"--retry-base", "1h"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--retry-max")));
  EXPECT_THAT(Parse({"--max-response", "1GiB"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--response-budget")));
}

}  // namespace
}  // namespace poller
