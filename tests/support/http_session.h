// One connection of HttpServer. For http_server.cc alone.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/http_server.h"
#include "tests/support/http_types.h"

namespace poller::test {

class Session;

// What a connection needs of its server. Called on the server's threads.
class SessionHost : public std::enable_shared_from_this<SessionHost> {
 public:
  virtual ~SessionHost() = default;
  virtual const HttpServer::Options& options() const = 0;
  virtual const HttpServer::AsyncHandler& handler() const = 0;
  virtual void RequestBegan() = 0;
  virtual void RequestEnded() = 0;
  // The connection is over; the caller still holds it.
  virtual void Left(Session* session) = 0;
};

// One connection. Everything but `Submit` runs on its strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, SessionHost& server, std::uint64_t number)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        server_(server),
        number_(number) {}

  void Start() {
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->ReadHead(); });
  }
  void Submit(std::uint64_t request, TestReply reply) {
    boost::asio::post(socket_.get_executor(),
                      [self = shared_from_this(), request, reply = std::move(reply)]() mutable {
                        self->Answer(request, std::move(reply));
                      });
  }
  // After the server's threads have ended.
  void Abandon() { End(/*reset=*/false); }

 private:
  void ReadHead();
  void ReadBody();
  void Dispatch(TestRequest request);
  void WatchForPeer();
  void Answer(std::uint64_t request, TestReply reply);
  void Compose();
  void SendSome();
  void AfterLimit();
  void Finish(bool sent);
  void End(bool reset);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  SessionHost& server_;
  const std::uint64_t number_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::uint64_t current_ = 0;  // number of the request on this connection
  bool waiting_ = false;       // a request without a complete answer
  bool answering_ = false;
  bool keep_alive_ = true;
  bool ended_ = false;
  TestReply reply_;
  std::string wire_;  // head and body
  std::uint64_t sent_ = 0;
  std::uint64_t total_ = 0;  // bytes of the complete answer, filler and trailer included
  std::uint64_t limit_ = 0;  // bytes to send before `reply_.ending`
  std::string trailer_;
  std::string block_;
};

}  // namespace poller::test
