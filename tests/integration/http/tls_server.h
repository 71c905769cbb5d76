// A TLS server on loopback with a certificate of its own making.
#pragma once

#include <openssl/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace poller {

// Answers every request with 200 and "secure", one connection at a time. The certificate signs
// itself and is good for `name` alone (a DNS name or an IPv4 address).
class TlsServer {
 public:
  explicit TlsServer(const std::string& name);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  const std::string& certificate() const { return certificate_; }  // PEM
  std::string Url(const std::string& host) const;
  int handshakes() const { return handshakes_; }

 private:
  void Run();
  void Serve(int socket);

  SSL_CTX* context_ = nullptr;
  std::string certificate_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> handshakes_ = 0;
  std::thread thread_;
};

}  // namespace poller
