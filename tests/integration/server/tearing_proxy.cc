#include "tests/integration/server/tearing_proxy.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace poller::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kChunk = 16 << 10;

tcp::endpoint Loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

}  // namespace

struct TearingProxy::Session {
  Session(asio::io_context& io, tcp::socket accepted, std::optional<Tear> where)
      : client(std::move(accepted)), server(io), tear(where) {}

  void End(bool reset) {
    boost::system::error_code ignored;
    if (reset) client.set_option(tcp::socket::linger(true, 0), ignored);
    client.close(ignored);
    server.close(ignored);
  }

  tcp::socket client, server;
  std::optional<Tear> tear;
};

TearingProxy::TearingProxy() : acceptor_(io_, Loopback(0)) {
  asio::co_spawn(io_, Accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

TearingProxy::~TearingProxy() {
  io_.stop();
  thread_.join();
}

std::string TearingProxy::address() const {
  return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

void TearingProxy::Next(const std::string& server, std::optional<Tear> tear) {
  const auto port = static_cast<std::uint16_t>(std::stoi(server.substr(server.rfind(':') + 1)));
  absl::MutexLock lock(&mu_);
  route_ = {Loopback(port), tear};
}

asio::awaitable<void> TearingProxy::Accept() {
  boost::system::error_code error;
  while (!error) {
    tcp::socket client =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    Route route;
    {
      absl::MutexLock lock(&mu_);
      route = route_;
    }
    auto session = std::make_shared<Session>(io_, std::move(client), route.tear);
    asio::co_spawn(io_, Serve(std::move(session), route), asio::detached);
  }
}

asio::awaitable<void> TearingProxy::Serve(std::shared_ptr<Session> session, Route route) {
  boost::system::error_code error;
  co_await session->server.async_connect(route.server,
                                         asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    session->End(false);
    co_return;
  }
  session->client.set_option(tcp::no_delay(true), error);
  session->server.set_option(tcp::no_delay(true), error);
  asio::co_spawn(co_await asio::this_coro::executor, Pump(session, false), asio::detached);
  co_await Pump(session, true);
}

asio::awaitable<void> TearingProxy::Pump(std::shared_ptr<Session> session, bool to_client) {
  tcp::socket& from = to_client ? session->server : session->client;
  tcp::socket& to = to_client ? session->client : session->server;
  std::array<char, kChunk> chunk;
  boost::system::error_code error;
  bool torn = false;
  while (!error && !torn) {
    std::size_t bytes = co_await from.async_read_some(
        asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    if (error && stalled_) co_return;  // the other end does not learn it
    if (error) break;
    if (stalled_) continue;
    if (to_client && session->tear) {
      std::size_t& left = session->tear->after;
      torn = bytes >= left;
      bytes = std::min(bytes, left);
      left -= bytes;
    }
    co_await asio::async_write(to, asio::buffer(chunk.data(), bytes),
                               asio::redirect_error(asio::use_awaitable, error));
  }
  session->End(torn && session->tear->reset);
}

}  // namespace poller::test
