#include "tests/integration/http/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace poller {
namespace {

// A failure here is one of the machine, not of what is tested.
void Require(bool ok) {
  if (!ok) std::abort();
}

bool IsAddress(const std::string& name) {
  in_addr address;
  return inet_pton(AF_INET, name.c_str(), &address) == 1;
}

X509* SelfSigned(EVP_PKEY* key, const std::string& name) {
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("poller test");
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  const std::string names = (IsAddress(name) ? "IP:" : "DNS:") + name;
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  Require(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  Require(X509_sign(certificate, key, EVP_sha256()) != 0);
  return certificate;
}

std::string Pem(X509* certificate) {
  BIO* const out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

}  // namespace

TlsServer::TlsServer(const std::string& name) {
  signal(SIGPIPE, SIG_IGN);  // a client that refuses the certificate hangs up on us
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = SelfSigned(key, name);
  certificate_ = Pem(certificate);
  context_ = SSL_CTX_new(TLS_server_method());
  Require(SSL_CTX_use_certificate(context_, certificate) == 1);
  Require(SSL_CTX_use_PrivateKey(context_, key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);

  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Require(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  Require(listen(listener_, 16) == 0);
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TlsServer::~TlsServer() {
  stop_ = true;
  shutdown(listener_, SHUT_RDWR);  // wakes accept
  thread_.join();
  close(listener_);
  SSL_CTX_free(context_);
}

std::string TlsServer::Url(const std::string& host) const {
  return "https://" + host + ":" + std::to_string(port_) + "/";
}

void TlsServer::Run() {
  while (!stop_) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    Serve(connection);
    close(connection);
  }
}

void TlsServer::Serve(int socket) {
  SSL* const ssl = SSL_new(context_);
  SSL_set_fd(ssl, socket);
  if (SSL_accept(ssl) == 1) {
    ++handshakes_;
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const int bytes = SSL_read(ssl, buffer, sizeof buffer);
      if (bytes <= 0) break;
      request.append(buffer, static_cast<std::size_t>(bytes));
    }
    constexpr std::string_view kAnswer =
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecure";
    SSL_write(ssl, kAnswer.data(), static_cast<int>(kAnswer.size()));
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
}

}  // namespace poller
