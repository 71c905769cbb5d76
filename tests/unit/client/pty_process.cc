#include "tests/unit/client/pty_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace poller::client {
namespace {

constexpr int kPatienceMs = 30'000;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

PtyProcess::PtyProcess(std::vector<std::string> command, std::vector<std::string> environment,
                       int columns, int rows) {
  master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) {
    ADD_FAILURE() << "no pseudo-terminal";
    return;
  }
  const std::string name = ptsname(master_);
  slave_ = open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  Resize(columns, rows);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Opened by the leader of a new session: so it is the terminal that controls it.
  posix_spawn_file_actions_addopen(&actions, 0, name.c_str(), O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  environment.emplace_back("TERM=xterm-256color");
  environment.emplace_back("PATH=/usr/bin:/bin");
  auto arguments = Pointers(command);
  auto variables = Pointers(environment);
  if (posix_spawn(&pid_, command[0].c_str(), &actions, &attributes, arguments.data(),
                  variables.data()) != 0) {
    pid_ = -1;
    ADD_FAILURE() << "cannot start " << command[0];
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
}

PtyProcess::~PtyProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (slave_ >= 0) close(slave_);
  if (master_ >= 0) close(master_);
}

bool PtyProcess::ReadMore() {
  pollfd end{master_, POLLIN, 0};
  if (poll(&end, 1, kPatienceMs) <= 0) return false;
  std::array<char, 4096> bytes{};
  const ssize_t count = read(master_, bytes.data(), bytes.size());
  if (count <= 0) return false;
  output_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

bool PtyProcess::ReadUntil(const std::string& text) {
  for (;;) {
    if (const std::size_t at = output_.find(text, seen_); at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    if (!ReadMore()) return false;
  }
}

void PtyProcess::Type(const std::string& keys) {
  EXPECT_EQ(write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void PtyProcess::Resize(int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
}

void PtyProcess::Signal(int signal) { EXPECT_EQ(kill(pid_, signal), 0); }

bool PtyProcess::WaitStopped() {
  int status = 0;
  if (waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status)) return true;
  pid_ = -1;
  return false;
}

int PtyProcess::Wait() {
  int status = 0;
  // The slave that we hold keeps reads from ending, so look for the end of the process, too.
  for (int quiet = 0; quiet < kPatienceMs;) {
    constexpr int kLookMs = 20;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    pollfd end{master_, POLLIN, 0};
    while (poll(&end, 1, ended == pid_ ? 0 : kLookMs) > 0 && ReadMore()) quiet = 0;
    if (ended == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    quiet += kLookMs;
  }
  ADD_FAILURE() << "the process does not end; it wrote: " << output_;
  return -1;
}

termios PtyProcess::Settings() const {
  termios settings{};
  EXPECT_EQ(tcgetattr(slave_, &settings), 0);
  return settings;
}

}  // namespace poller::client
