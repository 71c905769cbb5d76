#include "core/http/curl/engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/clock.h"
#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::size_t kIdleHandles = 256;  // kept for reuse; a handle is some kilobytes
constexpr long kIdleConnections = 1024;    // kept alive at least
constexpr int kNameThreads = 32;           // look names up, and may hang

absl::Status ShuttingDown() {
  return TransportError(TransportFailure::kCancelled, "the service is stopping");
}

bool InitOnce() {
  static const bool ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ok;
}

}  // namespace

CurlHttpClient::Engine::Engine(CurlOptions options, Metrics& metrics)
    : options_(std::move(options)),
      metrics_(metrics),
      in_flight_(
          metrics.GetGauge("poller_http_requests_in_flight", "Requests that wait for an answer.")),
      waiting_requests_(metrics.GetGauge("poller_http_requests_waiting",
                                         "Requests that wait until fewer are in flight.")),
      answer_bytes_(metrics.GetGauge("poller_http_answer_bytes",
                                     "Memory of answers that are received or not taken yet.")),
      budget_(std::make_shared<AnswerBudget>(options_.response_budget)) {}

CurlHttpClient::Engine::~Engine() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = shut_down_ = true;
  }
  if (thread_.joinable()) {
    Wake();
    thread_.join();
  }
  names_.reset();  // no more wake-ups
  for (CURL* easy : idle_handles_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (epoll_ >= 0) close(epoll_);
  if (wake_ >= 0) close(wake_);
}

absl::Status CurlHttpClient::Engine::Start() {
  if (!InitOnce()) return absl::InternalError("libcurl does not start");
  multi_ = curl_multi_init();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (multi_ == nullptr || epoll_ < 0 || wake_ < 0) {
    return MakeStatus(absl::StatusCode::kInternal,
                      std::string("the HTTP client cannot be set up: ") + std::strerror(errno));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0)
    return absl::InternalError("epoll refuses its wake-up");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Engine::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Engine::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                    std::max<long>(options_.max_requests, kIdleConnections));
  names_ = std::make_unique<NameLookup>(kNameThreads, [this] { Wake(); });
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void CurlHttpClient::Engine::Submit(HttpRequest request, OneShot<Outcome> result) {
  auto transfer = std::make_unique<Transfer>(std::move(request), std::move(result), options_,
                                             budget_, metrics_);
  {
    absl::MutexLock lock(&mu_);
    if (!shut_down_) {
      mail_.push_back(std::move(transfer));
    }
  }
  if (transfer) {
    transfer->Fail(ShuttingDown());
  } else {
    Wake();
  }
}

void CurlHttpClient::Engine::Shutdown() {
  {
    absl::MutexLock lock(&mu_);
    shut_down_ = true;
  }
  Wake();
}

void CurlHttpClient::Engine::Wake() {
  const std::uint64_t one = 1;
  // The counter is never full: a failed write means that a wake-up is pending already.
  (void)!write(wake_, &one, sizeof one);
}

int CurlHttpClient::Engine::OnSocket(CURL*, curl_socket_t socket, int what, void* self,
                                     void* known) {
  auto& engine = *static_cast<Engine*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(engine.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = socket;
  const int usual = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  const int other = known == nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  // The other one helps where a number was closed and given out again behind our back.
  if (epoll_ctl(engine.epoll_, usual, socket, &event) != 0 &&
      epoll_ctl(engine.epoll_, other, socket, &event) != 0) {
    return -1;  // libcurl fails the request: it would wait for ever
  }
  if (known == nullptr) curl_multi_assign(engine.multi_, socket, self);  // any mark but null
  return 0;
}

int CurlHttpClient::Engine::OnTimer(CURLM*, long timeout_ms, void* self) {
  auto& engine = *static_cast<Engine*>(self);
  engine.timer_due_ = timeout_ms < 0 ? absl::InfiniteDuration()
                                     : SystemClock().Monotonic() + absl::Milliseconds(timeout_ms);
  return 0;
}

int CurlHttpClient::Engine::WaitMilliseconds() const {
  absl::Duration due = timer_due_;
  if (!unnamed_.empty()) due = std::min(due, unnamed_.begin()->first.first);
  if (due == absl::InfiniteDuration()) return -1;
  const absl::Duration left = due - SystemClock().Monotonic();
  // Rounded up: waking a little early would spin.
  return static_cast<int>(std::clamp<std::int64_t>(
      absl::ToInt64Milliseconds(left + absl::Microseconds(999)), 0, 60000));
}

void CurlHttpClient::Engine::Run() {
  // Signals are for the thread that waits for them. SIGPIPE above all: OpenSSL writes to sockets
  // whose peer has gone.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::array<epoll_event, 256> events;
  int running = 0;
  while (true) {
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), WaitMilliseconds());
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake_) {
        std::uint64_t counter = 0;
        (void)!read(wake_, &counter, sizeof counter);
        continue;
      }
      const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                       ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                       ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi_, event.data.fd, what, &running);
    }
    if (SystemClock().Monotonic() >= timer_due_) {
      timer_due_ = absl::InfiniteDuration();  // the call sets the next one
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    CollectDone();
    TakeNames();
    TakeMail();
    bool shut_down = false;
    bool stop = false;
    {
      absl::MutexLock lock(&mu_);
      shut_down = shut_down_;
      stop = stop_;
    }
    if (shut_down) FailAll();
    if (stop) {
      Report();
      return;
    }
    StartWaiting();
    Report();
  }
}

void CurlHttpClient::Engine::Report() {
  const auto show = [](Gauge& gauge, double& shown, double value) {
    if (value != shown) gauge.Add(value - shown);
    shown = value;
  };
  show(in_flight_, shown_in_flight_, static_cast<double>(active_.size() + unnamed_.size()));
  show(waiting_requests_, shown_waiting_, static_cast<double>(waiting_.size()));
  show(answer_bytes_, shown_bytes_, static_cast<double>(budget_->used()));
}

void CurlHttpClient::Engine::TakeMail() {
  std::vector<std::unique_ptr<Transfer>> mail;
  {
    absl::MutexLock lock(&mu_);
    mail.swap(mail_);
  }
  for (auto& transfer : mail) waiting_.push_back(std::move(transfer));
}

void CurlHttpClient::Engine::StartWaiting() {
  const auto most = static_cast<std::size_t>(options_.max_requests);
  while (!waiting_.empty() && active_.size() + unnamed_.size() < most) {
    std::unique_ptr<Transfer> transfer = std::move(waiting_.front());
    waiting_.pop_front();
    StartTransfer(std::move(transfer));
  }
}

void CurlHttpClient::Engine::StartTransfer(std::unique_ptr<Transfer> transfer) {
  if (const absl::Status parsed = transfer->Parse(); !parsed.ok()) {
    transfer->Fail(parsed);
    return;
  }
  if (transfer->name().empty()) {
    Launch(std::move(transfer), "", absl::ZeroDuration());
    return;
  }
  const absl::Duration now = SystemClock().Monotonic();
  if (const auto known = names_->Ask(transfer->name(), now)) {
    Launch(std::move(transfer), known->addresses, absl::ZeroDuration());
    return;
  }
  const NameKey key(now + transfer->ConnectTime(), next_unnamed_++);
  by_name_[transfer->name()].push_back(key);
  unnamed_.emplace(key, std::move(transfer));
}

void CurlHttpClient::Engine::TakeNames() {
  const absl::Duration now = SystemClock().Monotonic();
  for (const auto& [name, answer] : names_->Take(now)) {
    const auto waiting = by_name_.extract(name);
    if (waiting.empty()) continue;
    for (const NameKey& key : waiting.mapped()) {
      auto found = unnamed_.extract(key);
      if (found.empty()) continue;
      std::unique_ptr<Transfer> transfer = std::move(found.mapped());
      if (answer.found) {
        const absl::Duration waited = now - (key.first - transfer->ConnectTime());
        Launch(std::move(transfer), answer.addresses, waited);
      } else {
        transfer->FailName(answer.error, answer.exhausted);
      }
    }
  }
  while (!unnamed_.empty() && unnamed_.begin()->first.first <= now) {
    unnamed_.begin()->second->FailName("the name server does not answer", false);
    unnamed_.erase(unnamed_.begin());
  }
}

void CurlHttpClient::Engine::Launch(std::unique_ptr<Transfer> transfer,
                                    const std::string& addresses, absl::Duration waited) {
  CURL* const easy = TakeHandle();
  if (easy == nullptr) {
    transfer->Fail(TransportError(TransportFailure::kExhausted, "libcurl has no memory"));
    return;
  }
  const absl::Status prepared = transfer->Prepare(easy, addresses, waited);
  if (!prepared.ok() || curl_multi_add_handle(multi_, easy) != CURLM_OK) {
    transfer->Fail(prepared.ok()
                       ? TransportError(TransportFailure::kProtocol, "libcurl refuses the request")
                       : prepared);
    GiveHandle(easy);
    return;
  }
  active_.emplace(easy, std::move(transfer));
}

void CurlHttpClient::Engine::CollectDone() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;  // the message is gone after the removal below
    const auto found = active_.find(easy);
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    active_.erase(found);
    curl_multi_remove_handle(multi_, easy);
    transfer->Complete(code);
    GiveHandle(easy);
  }
}

void CurlHttpClient::Engine::FailAll() {
  for (auto& transfer : waiting_) transfer->Fail(ShuttingDown());
  waiting_.clear();
  for (auto& [key, transfer] : unnamed_) transfer->Fail(ShuttingDown());
  unnamed_.clear();
  by_name_.clear();
  for (auto& [easy, transfer] : active_) {
    curl_multi_remove_handle(multi_, easy);
    transfer->Fail(ShuttingDown());
    curl_easy_cleanup(easy);
  }
  active_.clear();
}

CURL* CurlHttpClient::Engine::TakeHandle() {
  if (idle_handles_.empty()) return curl_easy_init();
  CURL* const easy = idle_handles_.back();
  idle_handles_.pop_back();
  return easy;
}

void CurlHttpClient::Engine::GiveHandle(CURL* easy) {
  curl_easy_reset(easy);
  if (idle_handles_.size() < kIdleHandles) {
    idle_handles_.push_back(easy);
  } else {
    curl_easy_cleanup(easy);
  }
}

}  // namespace poller
