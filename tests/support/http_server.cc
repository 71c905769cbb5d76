#include "tests/support/http_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "core/base/clock.h"
#include "core/base/status.h"
#include "tests/support/http_session.h"

namespace poller::test {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

}  // namespace

class HttpServer::Impl : public SessionHost {
 public:
  Impl(Options options, AsyncHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(asio::make_strand(io_)),
        accept_again_(acceptor_.get_executor()) {
    if (!options_.date_clock) options_.date_clock = [] { return SystemClock().Now(); };
  }

  absl::Status Listen();
  void Run();
  void Stop();
  void Accept();

  const Options& options() const override { return options_; }
  const AsyncHandler& handler() const override { return handler_; }
  std::uint16_t port() const { return port_; }

  void Joined(const std::shared_ptr<Session>& session);
  void Left(Session* session) override;
  void RequestBegan() override;
  void RequestEnded() override;
  Counts counts() const {
    const std::lock_guard lock(mu_);
    return counts_;
  }

 private:
  Options options_;
  AsyncHandler handler_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_again_;
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
  mutable std::mutex mu_;
  Counts counts_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_map<Session*, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mu_);
};

absl::Status HttpServer::Impl::Listen() {
  error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return absl::InvalidArgumentError("not an address: " + options_.address);
  const tcp::endpoint endpoint(address, options_.port);
  const auto failed = [&](const char* what) {
    return absl::UnavailableError(std::string(what) + " " + options_.address + ":" +
                                  std::to_string(options_.port) + ": " + error.message());
  };
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("cannot open a socket for");
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor_.bind(endpoint, error);
  if (error) return failed("cannot bind");
  acceptor_.listen(4096, error);
  if (error) return failed("cannot listen on");
  port_ = acceptor_.local_endpoint().port();
  return absl::OkStatus();
}

void HttpServer::Impl::Run() {
  Accept();
  for (int i = 0; i < std::max(1, options_.threads); ++i)
    threads_.emplace_back([this] { io_.run(); });
}

void HttpServer::Impl::Accept() {
  acceptor_.async_accept(asio::make_strand(io_), [this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {  // no descriptors left, most likely
      accept_again_.expires_after(std::chrono::milliseconds(10));
      accept_again_.async_wait([this](error_code stopped) {
        if (!stopped) Accept();
      });
      return;
    }
    {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::uint64_t number = 0;
      {
        const std::lock_guard lock(mu_);
        number = ++counts_.connections;
      }
      auto session = std::make_shared<Session>(std::move(socket), *this, number);
      Joined(session);
      session->Start();
    }
    Accept();
  });
}

void HttpServer::Impl::Joined(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mu_);
  ++counts_.open;
  sessions_.emplace(session.get(), session);
}

void HttpServer::Impl::Left(Session* session) {
  const std::lock_guard lock(mu_);
  if (sessions_.erase(session) > 0) --counts_.open;  // the caller still holds it
}

void HttpServer::Impl::RequestBegan() {
  const std::lock_guard lock(mu_);
  ++counts_.requests;
  ++counts_.in_flight;
  counts_.max_in_flight = std::max(counts_.max_in_flight, counts_.in_flight);
}

void HttpServer::Impl::RequestEnded() {
  const std::lock_guard lock(mu_);
  --counts_.in_flight;
}

void HttpServer::Impl::Stop() {
  {
    const std::lock_guard lock(mu_);
    if (std::exchange(stopped_, true)) return;
  }
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
  error_code ignored;
  acceptor_.close(ignored);
  absl::flat_hash_map<Session*, std::shared_ptr<Session>> open;
  {
    const std::lock_guard lock(mu_);
    open.swap(sessions_);
    counts_.open = 0;
  }
  for (const auto& [session, owner] : open) session->Abandon();
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options,
                                                              AsyncHandler handler) {
  auto impl = std::make_shared<Impl>(std::move(options), std::move(handler));
  RETURN_IF_ERROR(impl->Listen());
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::AsyncHandler HttpServer::Immediate(Handler handler) {
  return [handler = std::move(handler)](const TestRequest& request, const Responder& responder) {
    responder.Send(handler(request));
  };
}

std::unique_ptr<HttpServer> HttpServer::Start(Handler handler) {
  auto server = Start(Options(), Immediate(std::move(handler)));
  if (!server.ok()) {
    std::fprintf(stderr, "test HTTP server: %s\n", server.status().ToString().c_str());
    std::abort();
  }
  return *std::move(server);
}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::Stop() { impl_->Stop(); }

std::uint16_t HttpServer::port() const { return impl_->port(); }

std::string HttpServer::Url(const std::string& path) const {
  return "http://" + impl_->options().address + ":" + std::to_string(port()) + path;
}

HttpServer::Counts HttpServer::counts() const { return impl_->counts(); }

}  // namespace poller::test
