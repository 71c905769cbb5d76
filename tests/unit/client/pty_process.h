// A program in a terminal of its own, as a person has it.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <vector>

namespace poller::client {

class PtyProcess {
 public:
  // `command`: the program with its path, and its arguments; `environment`: "NAME=value". Dies with
  // this object.
  PtyProcess(std::vector<std::string> command, std::vector<std::string> environment,
             int columns = 120, int rows = 30);
  PtyProcess(const PtyProcess&) = delete;
  PtyProcess& operator=(const PtyProcess&) = delete;
  ~PtyProcess();

  // Reads until the output since the last call of this kind has `text`. False: it ended before, or
  // said nothing for 30 s; see output().
  bool ReadUntil(const std::string& text);
  // All that was written so far.
  const std::string& output() const { return output_; }

  void Type(const std::string& keys);
  void Resize(int columns, int rows);
  void Signal(int signal);
  // Waits until it sleeps because of SIGTSTP or SIGSTOP. False: it ended instead.
  bool WaitStopped();
  // Reads to its end. The exit code, or 128 and the signal that ended it.
  int Wait();
  // What the terminal does with keys now.
  termios Settings() const;

 private:
  bool ReadMore();
  int master_ = -1;
  int slave_ = -1;  // keeps the terminal alive when the process is gone
  pid_t pid_ = -1;
  std::string output_;
  std::size_t seen_ = 0;  // of the output
};

}  // namespace poller::client
