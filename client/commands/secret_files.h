// Secrets that come from files and go to files: never from and to the command line.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/session.h"

namespace poller::client {

// A whole file; for "-" the next line of standard input. Errors name what is wrong, not the flag.
absl::StatusOr<std::string> ReadValue(Io& io, const std::string& file);
std::string WithoutLineEnd(std::string text);

// A new file, readable by its owner alone, that takes one secret. Made before the call that gives
// the secret, so that a folder that cannot be written costs nothing; removed again if none came.
class SecretFile {
 public:
  // Null: it cannot be made, or it is there already; said why.
  static std::unique_ptr<SecretFile> Create(Session& session, const std::string& path);
  ~SecretFile();
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;

  // Writes `secret` and the end of a line. False: said why.
  bool Write(Session& session, const std::string& secret);
  const std::string& path() const { return path_; }

 private:
  SecretFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  int fd_;
  bool written_ = false;
};

}  // namespace poller::client
