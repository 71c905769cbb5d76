// A blocking TCP client that sees exactly which bytes arrive. For tests of the test server alone.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace poller::test {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    SetTimeout(5000);
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void SetTimeout(int milliseconds) {
    const timeval wait{milliseconds / 1000, milliseconds % 1000 * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  bool Send(const std::string& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool Post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return Send("POST " + path + " HTTP/1.1\r\nHost: x\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // Reads until `bytes` have come, the peer ends, or the timeout; appends to what it had.
  const std::string& Read(std::size_t bytes) {
    char buffer[65536];
    while (got_.size() < bytes) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n < 0) error_ = errno;
      if (n == 0) closed_ = true;
      if (n <= 0) break;
      got_.append(buffer, static_cast<std::size_t>(n));
    }
    return got_;
  }
  const std::string& ReadToEnd() { return Read(static_cast<std::size_t>(-1)); }
  // Reads one answer with a Content-Length; what follows it stays for the next call.
  std::string ReadAnswer() {
    std::size_t end = std::string::npos;
    while ((end = got_.find("\r\n\r\n")) == std::string::npos) {
      const std::size_t before = got_.size();
      if (Read(before + 1).size() == before) return got_;
    }
    std::size_t length = 0;
    const std::size_t field = got_.find("Content-Length: ");
    if (field < end) length = std::stoul(got_.substr(field + 16));
    Read(end + 4 + length);
    std::string answer = got_.substr(0, end + 4 + length);
    got_.erase(0, answer.size());
    return answer;
  }
  bool was_reset() const { return error_ == ECONNRESET; }
  bool timed_out() const { return error_ == EAGAIN || error_ == EWOULDBLOCK; }
  bool was_closed() const { return closed_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
  bool connected_ = false;
  std::string got_;
  int error_ = 0;
  bool closed_ = false;
};

}  // namespace poller::test
