// A TCP proxy on loopback that breaks connections where a test says.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poller::test {

// Where a connection breaks: so many bytes of the server reach the client, wherever in a message
// that is.
struct Tear {
  std::size_t after = 0;
  bool reset = false;  // with RST, which also drops what the client has not read yet; else with FIN
};

// Serves on a thread of its own. Thread-safe.
class TearingProxy {
 public:
  TearingProxy();
  ~TearingProxy();

  // "127.0.0.1:40001".
  std::string address() const;
  // What is accepted from now on leads to `server`, an address like ours, and breaks at `tear`.
  void Next(const std::string& server, std::optional<Tear> tear);
  // From now on nothing passes in either direction, and nothing is closed: what a cable that was
  // pulled looks like from its ends.
  void Stall() { stalled_ = true; }

 private:
  struct Route {
    boost::asio::ip::tcp::endpoint server;
    std::optional<Tear> tear;
  };
  struct Session;
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Serve(std::shared_ptr<Session> session, Route route);
  // One direction, until either side closes or the connection is torn.
  boost::asio::awaitable<void> Pump(std::shared_ptr<Session> session, bool to_client);

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  absl::Mutex mu_;
  Route route_ ABSL_GUARDED_BY(mu_);
  std::atomic<bool> stalled_ = false;
  std::thread thread_;
};

}  // namespace poller::test
