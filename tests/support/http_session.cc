#include "tests/support/http_session.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/write.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace poller::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kFillerBlock = 64 * 1024;

std::chrono::steady_clock::duration ToChrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(duration);
}

std::string Text(boost::beast::string_view text) { return {text.data(), text.size()}; }

template <class Message>
TestRequest ToRequest(const Message& message, std::uint64_t connection) {
  TestRequest request;
  request.method = Text(message.method_string());
  const std::string target = Text(message.target());
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message) {
    request.headers.Add(Text(field.name_string()), Text(field.value()));
  }
  request.connection = connection;
  return request;
}

}  // namespace

class Responder::Impl {
 public:
  Impl(std::weak_ptr<SessionHost> server, std::weak_ptr<Session> session, std::uint64_t request)
      : server_(std::move(server)), session_(std::move(session)), request_(request) {}
  void Send(TestReply reply) {
    if (used_.exchange(true)) return;
    // The server first: its event loop must outlive what we hold of the session.
    const std::shared_ptr<SessionHost> server = server_.lock();
    const std::shared_ptr<Session> session = session_.lock();
    if (server != nullptr && session != nullptr) {
      session->Submit(request_, std::move(reply));
    } else if (reply.on_done) {
      reply.on_done(false);
    }
  }

 private:
  std::weak_ptr<SessionHost> server_;
  std::weak_ptr<Session> session_;
  std::uint64_t request_;
  std::atomic<bool> used_ = false;
};

void Responder::Send(TestReply reply) const { impl_->Send(std::move(reply)); }

void Session::ReadHead() {
  if (ended_) return;
  parser_.emplace();
  parser_->body_limit(server_.options().max_body);
  parser_->header_limit(64 * 1024);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t) {
                            if (error) return self->End(false);
                            self->ReadBody();
                          });
}

void Session::ReadBody() {
  ++current_;
  waiting_ = true;
  server_.RequestBegan();
  const auto& head = parser_->get();
  keep_alive_ = head.keep_alive();
  if (server_.options().on_head) {
    std::optional<TestReply> early = server_.options().on_head(ToRequest(head, number_));
    if (early.has_value()) {
      keep_alive_ = false;  // the body stays unread in the socket
      return Answer(current_, *std::move(early));
    }
  }
  const auto read = [self = shared_from_this()](error_code error, std::size_t) {
    if (error) return self->End(false);
    auto message = self->parser_->release();
    TestRequest request = ToRequest(message, self->number_);
    request.body = std::move(message.body());
    self->Dispatch(std::move(request));
  };
  if (head[http::field::expect] == "100-continue") {
    static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(socket_, asio::buffer(kContinue),
                      [self = shared_from_this(), read](error_code error, std::size_t) {
                        if (error) return self->End(false);
                        http::async_read(self->socket_, self->buffer_, *self->parser_, read);
                      });
    return;
  }
  http::async_read(socket_, buffer_, *parser_, read);
}

void Session::Dispatch(TestRequest request) {
  WatchForPeer();
  server_.handler()(std::move(request), Responder(std::make_shared<Responder::Impl>(
                                            server_.weak_from_this(), weak_from_this(), current_)));
}

// While we wait nothing else reads: without this a peer that gave up would be noticed only at the
// first write.
void Session::WatchForPeer() {
  socket_.async_wait(
      tcp::socket::wait_read, [self = shared_from_this(), request = current_](error_code error) {
        if (error || self->ended_ || request != self->current_ || !self->waiting_) return;
        char byte = 0;
        error_code peeked;
        const std::size_t got =
            self->socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, peeked);
        if (peeked || got == 0) self->End(false);
      });
}

void Session::Answer(std::uint64_t request, TestReply reply) {
  if (ended_ || request != current_ || !waiting_ || answering_) {
    if (reply.on_done) reply.on_done(false);
    return;
  }
  answering_ = true;
  reply_ = std::move(reply);
  Compose();
  if (reply_.delay <= absl::ZeroDuration()) return SendSome();
  timer_.expires_after(ToChrono(reply_.delay));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->ended_) self->SendSome();
  });
}

void Session::Compose() {
  HttpHeaders headers = reply_.headers;
  std::string body = reply_.gzip ? Gzip(reply_.body) : std::move(reply_.body);
  if (reply_.gzip) headers.Set("Content-Encoding", "gzip");
  if (reply_.send_date && !headers.Has("Date")) {
    headers.Add("Date", FormatHttpDate(server_.options().date_clock()));
  }
  if (reply_.close) keep_alive_ = false;
  if (!keep_alive_) headers.Set("Connection", "close");
  const std::uint64_t length = body.size() + reply_.filler;
  const bool bodiless = reply_.status == 204 || reply_.status == 304;
  if (reply_.chunked) {
    headers.Set("Transfer-Encoding", "chunked");
  } else if (!bodiless && !headers.Has("Content-Length")) {
    headers.Add("Content-Length", std::to_string(length));
  }
  wire_ = "HTTP/1.1 " + std::to_string(reply_.status) + " " +
          std::string(ReasonPhrase(reply_.status)) + "\r\n";
  for (const auto& [name, value] : headers.fields()) wire_ += name + ": " + value + "\r\n";
  wire_ += "\r\n";
  trailer_.clear();
  if (reply_.chunked) {
    // Two chunks where there is enough, so that a reader must join them.
    const auto append_chunk = [this](std::string_view part) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      wire_ += size;
      wire_ += part;
      wire_ += "\r\n";
    };
    const std::string_view view = body;
    const std::size_t half = view.size() / 2;
    if (half > 0) append_chunk(view.substr(0, half));
    if (view.size() > half) append_chunk(view.substr(half));
    if (reply_.filler > 0) {
      char size[32];
      std::snprintf(size, sizeof size, "%llx\r\n", static_cast<unsigned long long>(reply_.filler));
      wire_ += size;
      trailer_ = "\r\n";
    }
    trailer_ += "0\r\n\r\n";
  } else if (!bodiless) {
    wire_ += body;
  }
  total_ = wire_.size() + reply_.filler + trailer_.size();
  limit_ = reply_.ending == Ending::kComplete ? total_ : std::min(total_, reply_.cut_after);
  sent_ = 0;
}

void Session::SendSome() {
  if (sent_ >= limit_) return AfterLimit();
  std::uint64_t want = limit_ - sent_;
  if (reply_.drip_bytes > 0) want = std::min<std::uint64_t>(want, reply_.drip_bytes);
  asio::const_buffer part;
  const std::uint64_t filler_end = wire_.size() + reply_.filler;
  if (sent_ < wire_.size()) {
    part = asio::buffer(wire_) + static_cast<std::size_t>(sent_);
  } else if (sent_ < filler_end) {
    block_.resize(kFillerBlock, ' ');
    part = asio::buffer(block_, static_cast<std::size_t>(
                                    std::min<std::uint64_t>(kFillerBlock, filler_end - sent_)));
  } else {
    part = asio::buffer(trailer_) + static_cast<std::size_t>(sent_ - filler_end);
  }
  part = asio::buffer(part, static_cast<std::size_t>(std::min<std::uint64_t>(want, part.size())));
  asio::async_write(socket_, part,
                    [self = shared_from_this()](error_code error, std::size_t written) {
                      if (error) return self->End(false);
                      self->sent_ += written;
                      if (self->reply_.drip_bytes == 0 || self->sent_ >= self->limit_)
                        return self->SendSome();
                      self->timer_.expires_after(ToChrono(self->reply_.drip_every));
                      self->timer_.async_wait([self](error_code expired) {
                        if (!expired && !self->ended_) self->SendSome();
                      });
                    });
}

void Session::AfterLimit() {
  switch (reply_.ending) {
    case Ending::kHang:
      return;
    case Ending::kReset:
      return End(/*reset=*/true);
    case Ending::kClose:
      return End(/*reset=*/false);
    case Ending::kComplete:
      break;
  }
  Finish(true);
  if (!keep_alive_) {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    return End(false);
  }
  ReadHead();
}

void Session::Finish(bool sent) {
  if (!waiting_) return;
  waiting_ = false;
  answering_ = false;
  wire_.clear();
  server_.RequestEnded();
  if (reply_.on_done) std::exchange(reply_.on_done, nullptr)(sent);
}

void Session::End(bool reset) {
  if (ended_) return;
  ended_ = true;
  error_code ignored;
  if (reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  timer_.cancel();
  Finish(false);
  server_.Left(this);
}

}  // namespace poller::test
