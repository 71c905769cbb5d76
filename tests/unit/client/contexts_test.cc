// Servers by name: the file, the verbs, and which setting wins.
#include "client/contexts.h"

#include <sys/stat.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "client/suggest.h"
#include "core/base/status.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Refusal(std::string_view text) {
  const auto contexts = ParseContexts(text, "/etc/p/config.toml", "/home/me");
  return contexts.ok() ? "" : std::string(Message(contexts.status()));
}

TEST(ParseContextsTest, ReadsAllSettingsAndPathsFromWhereTheFileIs) {
  const auto contexts = ParseContexts(
      "current = 'a'\n[contexts.a]\nserver = 'h:1'\ntoken_file = '~/t'\nca = 'ca.pem'\n"
      "cert = '/c'\nkey = '/k'\n[contexts.'b.c']\ninsecure = true\n",
      "/etc/p/config.toml", "/home/me");
  ASSERT_TRUE(contexts.ok()) << contexts.status();
  EXPECT_EQ(contexts->current, "a");
  EXPECT_EQ(contexts->named.at("a"),
            (Context{"h:1", "/home/me/t", "/etc/p/ca.pem", "/c", "/k", false}));
  EXPECT_TRUE(contexts->named.at("b.c").insecure);
}

TEST(ParseContextsTest, WhatIsWrittenReadsBackEqual) {
  Contexts contexts;
  contexts.current = "prod";
  contexts.named["prod"] = {"h:1", "/a 'b' \"c\"\\d/ñ", "/ca", "/c", "/k", false};
  contexts.named["x.y-1_z"] = {"", "", "", "", "", true};
  const auto back = ParseContexts(FormatContexts(contexts), "/f", "");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->current, "prod");
  EXPECT_EQ(back->named, contexts.named);
}

TEST(ParseContextsTest, RefusalsNameFileLineAndKey) {
  EXPECT_THAT(Refusal("current = 'a'\n[contexts.a\n"), HasSubstr("/etc/p/config.toml:2: "));
  EXPECT_THAT(
      Refusal("\n[contexts.a]\nsever = 'x'\n"),
      AllOf(HasSubstr("config.toml:3: contexts.a.sever: "), HasSubstr("did you mean server?")));
  EXPECT_THAT(Refusal("[contexts.a]\nserver = 5\n"),
              HasSubstr("config.toml:2: contexts.a.server: must be a text in quotes"));
  EXPECT_THAT(Refusal("[contexts.a]\ninsecure = 'yes'\n"),
              HasSubstr("config.toml:2: contexts.a.insecure: must be true or false"));
  EXPECT_THAT(Refusal("contexts = 1\n"), HasSubstr("config.toml:1: contexts: must be a table"));
  EXPECT_THAT(Refusal("[contexts]\na = 1\n"),
              HasSubstr("config.toml:2: contexts.a: must be a table"));
  EXPECT_THAT(Refusal("[context.a]\n"), HasSubstr("did you mean contexts?"));
  EXPECT_THAT(Refusal("[contexts.'a b']\n"), HasSubstr("is no name for a context"));
}

TEST(ParseContextsTest, ATokenInTheFileIsRefusedAndNotRepeated) {
  const std::string refusal = Refusal("[contexts.a]\ntoken = 'opp_abc'\n");
  EXPECT_THAT(refusal, AllOf(HasSubstr("config.toml:2: contexts.a.token: "),
                             HasSubstr("token_file"), Not(HasSubstr("opp_abc"))));
}

TEST(NearestTest, FindsSlipsAndBeginningsNearestFirst) {
  EXPECT_THAT(Nearest("shpo1", {"shop2", "shop1", "other"}), ElementsAre("shop1", "shop2"));
  EXPECT_THAT(Nearest("ber", {"Berlin", "Bern", "Rome"}), ElementsAre("Berlin", "Bern"));
  EXPECT_THAT(Nearest("SHOP1", {"shop1"}), ElementsAre("shop1"));
  EXPECT_THAT(Nearest("x", {"abc"}), IsEmpty());
  EXPECT_EQ(DidYouMean({"a", "b"}), "did you mean a, or b?");
}

class ContextTest : public ClientTest {
 protected:
  ContextTest() {
    environment["POLLERCTL_SERVER"] = "";  // else the fixture names its own
    home_ = std::filesystem::path(WriteFile("mark", "")).parent_path().string();
    environment["HOME"] = home_;
    server.connections.script_GetConnection.answer = [](const auto&, auto&) {
      return grpc::Status::OK;
    };
  }

  std::string file() const { return home_ + "/.config/pollerctl/config.toml"; }
  std::string Content() const {
    std::ostringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }
  std::string Authorization() const {
    return server.connections.script_GetConnection.authorization;
  }

  std::string home_;
};

TEST_F(ContextTest, SetMakesAFileForItsOwnerAloneWithoutTheSecret) {
  const std::string token = WriteFile("prod.token", "opp_secret\n");
  const Result set =
      Run({"context", "set", "prod", "--server", "h.example:1", "--token-file", token});
  EXPECT_EQ(set.code, 0) << set.err;
  EXPECT_THAT(set.out, HasSubstr("it is the current one"));
  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((home_ + "/.config/pollerctl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  EXPECT_THAT(Content(), AllOf(HasSubstr(token), Not(HasSubstr("opp_secret"))));
}

TEST_F(ContextTest, TheCurrentContextNamesServerAndToken) {
  const std::string token = WriteFile("t", "abc");
  Run({"context", "set", "one", "--server", server.address(), "--token-file", token});
  EXPECT_EQ(Run({"show", "1"}).code, 0);
  EXPECT_EQ(Authorization(), "Bearer abc");
}

TEST_F(ContextTest, FlagIsAboveEnvironmentIsAboveCurrent) {
  const auto set = [this](const std::string& name, const std::string& token) {
    Run({"context", "set", name, "--server", server.address(), "--token-file",
         WriteFile(name, token)});
  };
  set("current", "of-current");
  set("env", "of-env");
  set("flag", "of-flag");
  Run({"show", "1"});
  EXPECT_EQ(Authorization(), "Bearer of-current");
  environment["POLLERCTL_CONTEXT"] = "env";
  Run({"show", "1"});
  EXPECT_EQ(Authorization(), "Bearer of-env");
  Run({"show", "1", "--context", "flag"});
  EXPECT_EQ(Authorization(), "Bearer of-flag");
  environment["POLLERCTL_TOKEN_FILE"] = WriteFile("v", "of-variable");
  Run({"show", "1"});
  EXPECT_EQ(Authorization(), "Bearer of-variable");
  Run({"show", "1", "--context", "flag"});
  EXPECT_EQ(Authorization(), "Bearer of-flag");
  Run({"show", "1", "--context", "flag", "--token-file", WriteFile("f", "of-token-flag")});
  EXPECT_EQ(Authorization(), "Bearer of-token-flag");
}

TEST_F(ContextTest, ATokenOfTheCurrentContextGoesToNoOtherServer) {
  Run({"context", "set", "prod", "--server", "127.0.0.1:1", "--token-file", WriteFile("t", "abc")});
  EXPECT_EQ(Run({"show", "1", "--server", server.address()}).code, 0);
  EXPECT_EQ(Authorization(), "");
  environment["POLLERCTL_SERVER"] = server.address();
  EXPECT_EQ(Run({"show", "1"}).code, 0);
  EXPECT_EQ(Authorization(), "");
  // Both named: that is what the user wants.
  EXPECT_EQ(Run({"show", "1", "--server", server.address(), "--context", "prod"}).code, 0);
  EXPECT_EQ(Authorization(), "Bearer abc");
}

TEST_F(ContextTest, AVariableDoesNotTakeTheServerFromANamedContext) {
  Run({"context", "set", "prod", "--server", server.address()});
  environment["POLLERCTL_SERVER"] = "127.0.0.1:1";
  EXPECT_EQ(Run({"show", "1", "--context", "prod"}).code, 0);
}

TEST_F(ContextTest, TheTokenOfThisFolderIsNotSentToAContext) {
  const auto before = std::filesystem::current_path();
  std::filesystem::create_directories(home_ + "/data");
  std::ofstream(home_ + "/data/admin.token") << "local";
  std::filesystem::current_path(home_);
  Run({"show", "1", "--server", server.address()});
  EXPECT_EQ(Authorization(), "Bearer local");
  Run({"context", "set", "bare", "--server", server.address()});
  Run({"show", "1"});
  EXPECT_EQ(Authorization(), "");
  std::filesystem::current_path(before);
}

TEST_F(ContextTest, AServerThatIsNotThereIsToldWithItsContext) {
  Run({"context", "set", "prod", "--server", "127.0.0.1:1"});
  EXPECT_THAT(Run({"show", "1"}).err, HasSubstr("127.0.0.1:1 (context prod)"));
}

TEST_F(ContextTest, AMissingTokenFileIsToldWithItsContext) {
  Run({"context", "set", "prod", "--server", server.address(), "--token-file", "/not/there"});
  const Result result = Run({"show", "1"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("context prod: token_file: cannot read /not/there"));
}

TEST_F(ContextTest, UnknownNamesGetASuggestionAndExitThree) {
  Run({"context", "set", "production", "--server", "h:1"});
  const Result use = Run({"context", "use", "prod"});
  EXPECT_EQ(use.code, 3);
  EXPECT_THAT(use.err, HasSubstr("did you mean production?"));
  const Result flag = Run({"show", "1", "--context", "prodcution"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(flag.err, HasSubstr("did you mean production?"));
  EXPECT_EQ(Run({"context", "delete", "x"}).code, 3);
}

TEST_F(ContextTest, SetChangesOnlyWhatIsGivenAndAnEmptyTextTakesItBack) {
  Run({"context", "set", "a", "--server", "h:1", "--ca", "/ca.pem", "--token-file", "/t"});
  Run({"context", "set", "a", "--server", "h:2"});
  EXPECT_THAT(Content(), AllOf(HasSubstr("h:2"), HasSubstr("/ca.pem"), HasSubstr("/t")));
  EXPECT_EQ(Run({"context", "set", "a", "--insecure"}).code, 2);
  EXPECT_EQ(Run({"context", "set", "a", "--insecure", "--ca", ""}).code, 0);
  EXPECT_THAT(Content(), AllOf(Not(HasSubstr("/ca.pem")), HasSubstr("insecure = true")));
}

TEST_F(ContextTest, SetRefusesWhatCannotWork) {
  EXPECT_EQ(Run({"context", "set", "a"}).code, 2);  // new, without a server
  EXPECT_EQ(Run({"context", "set", "a", "--server", "http://h"}).code, 2);
  EXPECT_EQ(Run({"context", "set", "a b", "--server", "h:1"}).code, 2);
  EXPECT_EQ(Run({"context", "set", "a", "--server", "h:1", "--cert", "/c"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(ContextTest, ListMarksTheCurrentOneAndJsonHasAll) {
  Run({"context", "set", "a", "--server", "h:1"});
  Run({"context", "set", "b", "--server", "127.0.0.1:2", "--token-file", "/t"});
  Run({"context", "use", "b"});
  EXPECT_THAT(Run({"context"}).out, AllOf(HasSubstr("\n   a "), HasSubstr("\n*  b ")));
  const auto all = boost::json::parse(Run({"context", "list", "-o", "json"}).out);
  EXPECT_EQ(all.at("contexts").at(1).at("name"), "b");
  EXPECT_EQ(all.at("contexts").at(1).at("current"), true);
  EXPECT_EQ(all.at("contexts").at(1).at("tokenFile"), "/t");
  EXPECT_EQ(boost::json::parse(Run({"context", "show", "-o", "json"}).out).at("name"), "b");
  Run({"context", "delete", "b"});
  EXPECT_EQ(Run({"context", "show"}).code, 3);
}

TEST_F(ContextTest, ABrokenFileStopsOnlyWhoNeedsItAndIsNotOverwritten) {
  Run({"context", "set", "a", "--server", server.address()});
  std::ofstream(file()) << "current = \n";
  const Result broken = Run({"show", "1"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err, HasSubstr(file() + ":1: "));
  EXPECT_EQ(Run({"context", "set", "b", "--server", "h:1"}).code, 2);
  EXPECT_EQ(Content(), "current = \n");
  EXPECT_EQ(Run({"show", "1", "--server", server.address()}).code, 0);
}

TEST_F(ContextTest, XdgConfigHomeMovesTheFile) {
  environment["XDG_CONFIG_HOME"] = home_ + "/xdg";
  Run({"context", "set", "a", "--server", "h:1"});
  EXPECT_TRUE(std::filesystem::exists(home_ + "/xdg/pollerctl/config.toml"));
  environment["XDG_CONFIG_HOME"] = "relative";
  Run({"context", "set", "b", "--server", "h:1"});
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(ContextTest, ALinkedFileStaysALink) {
  std::filesystem::create_directories(home_ + "/.config/pollerctl");
  std::ofstream(home_ + "/real.toml") << "";
  std::filesystem::create_symlink(home_ + "/real.toml", file());
  EXPECT_EQ(Run({"context", "set", "a", "--server", "h:1"}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(file()));
  EXPECT_THAT(Content(), HasSubstr("h:1"));
}

TEST_F(ContextTest, WithoutAHomeThereAreNoContextsAndAllElseWorks) {
  environment.erase("HOME");
  EXPECT_EQ(Run({"context", "set", "a", "--server", "h:1"}).code, 2);
  EXPECT_EQ(Run({"context", "list"}).code, 0);
  EXPECT_EQ(Run({"show", "1", "--server", server.address()}).code, 0);
}

}  // namespace
}  // namespace poller::client
