// The real program: in a terminal of its own, and asked by real shells.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/client/client_fixture.h"
#include "tests/unit/client/pty_process.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPollerctl = POLLERCTL;
constexpr const char* kEnter = "\x1b[?1049h";
constexpr const char* kLeave = "\x1b[?1049l";

class ProcessTest : public ClientTest {
 protected:
  ProcessTest() { ScriptShops({Shop(1, "shop1"), Shop(2, "shop two")}); }

  std::vector<std::string> Environment() const {
    return {"POLLERCTL_SERVER=" + server.address(), "HOME=/nonexistent"};
  }
  PtyProcess Start(std::vector<std::string> arguments, int columns = 120) {
    arguments.insert(arguments.begin(), kPollerctl);
    return PtyProcess(std::move(arguments), Environment(), columns);
  }
};

bool KeysAreAsBefore(const PtyProcess& process) {
  const tcflag_t flags = process.Settings().c_lflag;
  return (flags & ICANON) != 0 && (flags & ECHO) != 0;
}

// It was taken, and given back as the last thing but for words.
void ExpectGivenBack(const PtyProcess& process) {
  const std::size_t enter = process.output().rfind(kEnter);
  const std::size_t leave = process.output().rfind(kLeave);
  ASSERT_NE(enter, std::string::npos);
  ASSERT_NE(leave, std::string::npos);
  EXPECT_LT(enter, leave);
  EXPECT_GT(process.output().rfind("\x1b[?25h"), process.output().rfind("\x1b[?25l"));
  EXPECT_TRUE(KeysAreAsBefore(process));
}

class TopInATerminalTest : public ProcessTest {};

TEST_F(TopInATerminalTest, KeysWorkAndQuitGivesTheTerminalBack) {
  PtyProcess top = Start({"top", "--interval", "100ms"});
  ASSERT_TRUE(top.ReadUntil("shop two")) << top.output();
  EXPECT_FALSE(KeysAreAsBefore(top));
  EXPECT_TRUE(top.ReadUntil("sort: need"));
  top.Type("s");
  EXPECT_TRUE(top.ReadUntil("sort: name"));
  top.Type("u");
  EXPECT_TRUE(top.ReadUntil("all connections are well"));
  top.Type(" ");
  EXPECT_TRUE(top.ReadUntil("go on (frozen)"));
  top.Type("\x1b[1;5u\x1bOs");  // arrows and the like are no keys of ours
  top.Type("p");
  EXPECT_TRUE(top.ReadUntil("sort: name   u show all   p freeze"));
  top.Type("\x1b[Aq");
  EXPECT_EQ(top.Wait(), 0);
  ExpectGivenBack(top);
}

TEST_F(TopInATerminalTest, DrawsAnewWhenTheWindowChanges) {
  PtyProcess top = Start({"top", "--interval", "1h"}, 120);
  ASSERT_TRUE(top.ReadUntil("LAST ERROR")) << top.output();
  ASSERT_TRUE(top.ReadUntil("q quit"));
  top.Resize(40, 10);
  ASSERT_TRUE(top.ReadUntil("NAME"));
  const std::size_t begin = top.output().size();
  ASSERT_TRUE(top.ReadUntil("q quit"));
  EXPECT_THAT(top.output().substr(begin), Not(HasSubstr("LAST ERROR")));
  top.Type("q");
  EXPECT_EQ(top.Wait(), 0);
}

TEST_F(TopInATerminalTest, CtrlCAndSigtermEndItInOrder) {
  {
    PtyProcess top = Start({"top"});
    ASSERT_TRUE(top.ReadUntil("q quit")) << top.output();
    top.Type("\x03");
    EXPECT_EQ(top.Wait(), 0);
    ExpectGivenBack(top);
  }
  PtyProcess top = Start({"top"});
  ASSERT_TRUE(top.ReadUntil("q quit")) << top.output();
  top.Signal(SIGTERM);
  EXPECT_EQ(top.Wait(), 0);
  ExpectGivenBack(top);
}

TEST_F(TopInATerminalTest, WhatKillsItGivesTheTerminalBackToo) {
  for (const int signal : {SIGPIPE, SIGABRT, SIGSEGV, SIGQUIT}) {
    PtyProcess top = Start({"top"});
    ASSERT_TRUE(top.ReadUntil("q quit")) << top.output();
    top.Signal(signal);
    EXPECT_EQ(top.Wait(), 128 + signal);
    ExpectGivenBack(top);
  }
}

TEST_F(TopInATerminalTest, AnErrorIsReadableAfterwards) {
  PtyProcess top = Start({"top", "--server", "127.0.0.1:1"});
  EXPECT_EQ(top.Wait(), 5);
  ExpectGivenBack(top);
  EXPECT_GT(top.output().find("cannot reach a server"), top.output().rfind(kLeave));
}

TEST_F(TopInATerminalTest, CtrlZGivesTheTerminalBackWhileItSleeps) {
  PtyProcess top = Start({"top", "--interval", "1h"});
  ASSERT_TRUE(top.ReadUntil("q quit")) << top.output();
  top.Signal(SIGTSTP);
  ASSERT_TRUE(top.ReadUntil(kLeave));
  ASSERT_TRUE(top.WaitStopped());  // else it would be woken before it sleeps, and sleep for ever
  top.Signal(SIGCONT);
  ASSERT_TRUE(top.ReadUntil(kEnter));
  EXPECT_TRUE(top.ReadUntil("q quit"));
  top.Type("q");
  EXPECT_EQ(top.Wait(), 0);
  ExpectGivenBack(top);
}

TEST_F(TopInATerminalTest, WatchShowsTheTableInPlaceAndLeavesItToRead) {
  PtyProcess list = Start({"list", "--watch=100ms"});
  ASSERT_TRUE(list.ReadUntil("every 100ms")) << list.output();
  ASSERT_TRUE(list.ReadUntil("shop two"));
  list.Type("\x03");
  EXPECT_EQ(list.Wait(), 0);
  ExpectGivenBack(list);
  EXPECT_NE(list.output().find("shop1", list.output().rfind(kLeave)), std::string::npos);
}

// ---------------------------------------------------------------- shells

class ShellTest : public ProcessTest {
 protected:
  // What `script` prints, line by line; it ends in order.
  std::vector<std::string> Shell(const std::string& shell, const std::string& script) {
    const std::string command = "HOME=/nonexistent POLLERCTL_SERVER=" + server.address() + " " +
                                shell + " " + WriteFile("script", script) + " 2>&1";
    std::vector<std::string> lines;
    FILE* pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): the file is our own
    if (pipe == nullptr) return lines;
    std::string text;
    std::array<char, 4096> bytes{};
    while (const std::size_t count = fread(bytes.data(), 1, bytes.size(), pipe))
      text.append(bytes.data(), count);
    EXPECT_EQ(pclose(pipe), 0) << text;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  // What bash offers for the last of `words`, which are as it cuts them.
  std::vector<std::string> Bash(const std::string& words) {
    return Shell("bash --norc", "set -u\nsource <(" + std::string(kPollerctl) +
                                    " completion bash)\n" + "COMP_WORDS=(pollerctl " + words +
                                    ")\n" + "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_pollerctl " +
                                    kPollerctl + "\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  }
};

TEST_F(ShellTest, BashOffersEveryVerb) {
  const auto offered = Bash("''");
  std::istringstream all(Run({"__complete", ""}).out);
  int count = 0;
  for (std::string line; std::getline(all, line); ++count)
    EXPECT_THAT(offered, Contains(line.substr(0, line.find('\t'))));
  EXPECT_GT(count, 25);
}

TEST_F(ShellTest, BashOffersFlagsValuesAndNames) {
  EXPECT_THAT(Bash("retry --dry"), ElementsAre("--dry-run"));
  EXPECT_THAT(Bash("list -o js"), ElementsAre("json", "jsonl"));
  EXPECT_THAT(Bash("list --output = js"), ElementsAre("json", "jsonl"));
  EXPECT_THAT(Bash("list --output ="), ElementsAre("table", "json", "jsonl"));
  EXPECT_THAT(Bash("show sho"), ElementsAre("shop1", "shop\\ two"));
  EXPECT_THAT(Bash("show '\"shop t'"), ElementsAre("shop two"));
}

TEST_F(ShellTest, BashCompletesWithTheTabKey) {
  const std::string folder = std::filesystem::path(kPollerctl).parent_path();
  PtyProcess bash({"/bin/bash", "--norc", "--noprofile", "-i"}, Environment());
  bash.Type("PATH=" + folder + ":$PATH; PS1='ready''> '; source <(pollerctl completion bash)\n");
  ASSERT_TRUE(bash.ReadUntil("ready> ")) << bash.output();
  bash.Type("pollerctl discar\t");
  EXPECT_TRUE(bash.ReadUntil("pollerctl discard ")) << bash.output();
  bash.Type("\x15pollerctl context show; pollerctl show shop\\ \t");
  EXPECT_TRUE(bash.ReadUntil("show shop\\ two ")) << bash.output();
  bash.Type("\x15");
  bash.Type("exit\n");
  bash.Wait();
}

TEST_F(ShellTest, ZshReadsItsScript) {
  if (!std::filesystem::exists("/usr/bin/zsh")) GTEST_SKIP() << "no zsh here";
  const auto lines = Shell("zsh -f", "autoload -Uz compinit && compinit -u -D\nsource <(" +
                                         std::string(kPollerctl) +
                                         " completion zsh)\nprint ${_comps[pollerctl]}\n");
  EXPECT_THAT(lines, ElementsAre("_pollerctl"));
}

TEST_F(ShellTest, FishOffersVerbsAndNames) {
  if (!std::filesystem::exists("/usr/bin/fish")) GTEST_SKIP() << "no fish here";
  const std::string folder = std::filesystem::path(kPollerctl).parent_path();
  const auto lines =
      Shell("XDG_CONFIG_HOME=/nonexistent fish --no-config",
            "set -x PATH " + folder +
                " $PATH\npollerctl completion fish | source\n"
                "complete -C 'pollerctl discar'\ncomplete -C 'pollerctl show sho'\n");
  EXPECT_THAT(lines, AllOf(Contains(testing::StartsWith("discard\t")),
                           Contains(testing::StartsWith("shop1"))));
}

}  // namespace
}  // namespace poller::client
