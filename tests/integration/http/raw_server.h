// A listener on loopback whose every byte the test decides.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace poller {

using boost::asio::ip::tcp;

// Runs `script` once on a thread of its own; the script ends by itself when its peers go.
class RawServer {
 public:
  using Script = std::function<void(RawServer& server)>;
  explicit RawServer(Script script)
      : acceptor_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        thread_([this, script = std::move(script)] { script(*this); }) {}
  ~RawServer() { thread_.join(); }

  tcp::socket Accept() {
    tcp::socket socket(io_);
    boost::system::error_code error;
    acceptor_.accept(socket, error);
    return socket;
  }
  // Up to the empty line; "" when the peer has gone.
  static std::string ReadHead(tcp::socket& socket) {
    std::string text;
    boost::system::error_code error;
    const std::size_t bytes =
        boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), "\r\n\r\n", error);
    return text.substr(0, bytes);
  }
  static void Write(tcp::socket& socket, std::string_view text) {
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(text.data(), text.size()), error);
  }
  // Until the peer closes.
  static void WaitForEnd(tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    while (!error) socket.read_some(boost::asio::buffer(&byte, 1), error);
  }
  void StopListening() { acceptor_.close(); }

  std::string Url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/";
  }

 private:
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::thread thread_;
};

}  // namespace poller
