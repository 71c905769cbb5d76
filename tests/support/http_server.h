// A small HTTP/1.1 server on the loopback interface for tests and the demo. It keeps connections
// alive and can misbehave in every way that a real peer can: answer late, by drops, too much, half,
// or never.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/http_types.h"

namespace poller::test {

// Answers one request, now or later. Copyable; all copies stand for the same request. Thread-safe.
class Responder {
 public:
  class Impl;
  explicit Responder(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  // The first call counts, later ones are ignored. After the server stopped or the peer left
  // nothing is sent, and `reply.on_done(false)` is called.
  void Send(TestReply reply) const;

 private:
  std::shared_ptr<Impl> impl_;
};

// Runs its own threads from `Start` to `Stop`. All methods are thread-safe.
class HttpServer {
 public:
  // Called on a thread of the server. While nobody calls `Send` the request hangs.
  using AsyncHandler = std::function<void(TestRequest request, Responder responder)>;
  using Handler = std::function<TestReply(const TestRequest& request)>;

  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free one
    int threads = 1;         // handlers run on them; more than one may run at a time then
    std::uint64_t max_body = 64ULL << 20;  // bytes of one request's body
    std::function<absl::Time()> date_clock =
        nullptr;  // for the Date header; the machine's when empty
    // Asked when the head of a request is there and its body not yet; an answer from here is sent
    // without reading the body.
    std::function<std::optional<TestReply>(const TestRequest& head)> on_head = nullptr;
  };

  // kUnavailable: the port is taken or no socket can be made.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options, AsyncHandler handler);
  // For the usual case of an immediate answer, and defaults. Aborts the program if no socket can be
  // made.
  static std::unique_ptr<HttpServer> Start(Handler handler);
  static AsyncHandler Immediate(Handler handler);

  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Ends every connection, joins the threads. Idempotent. Not from within a handler.
  void Stop();

  std::uint16_t port() const;
  // "http://127.0.0.1:PORT" followed by `path`.
  std::string Url(const std::string& path = "") const;

  struct Counts {
    std::uint64_t connections = 0;    // accepted since the start
    std::uint64_t open = 0;           // connections now
    std::uint64_t requests = 0;       // whose head was read
    std::uint64_t in_flight = 0;      // requests without a complete answer now
    std::uint64_t max_in_flight = 0;  // the most at one time
  };
  Counts counts() const;

  class Impl;

 private:
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace poller::test
