#include "core/http/curl/transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"

namespace poller {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxHeaders = 200;
constexpr std::size_t kFirstReserve = 16 << 10;
// A peer that vanished without a word: its connection is closed after this long without an
// acknowledgement, so that no later request is put on it.
constexpr unsigned kUnacknowledgedMilliseconds = 20'000;
constexpr long kMaxConnectionSeconds = 600;  // then it is made anew, and follows what DNS says

bool IsLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// A "token" of RFC 9110: what a method or the name of a header is.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != kMarks.npos;
  });
}

long Milliseconds(absl::Duration duration) {
  return static_cast<long>(
      std::clamp<std::int64_t>(absl::ToInt64Milliseconds(duration), 1, 1 << 30));
}

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool SameWord(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// With the system's bundle file, its folder of the same certificates is of no use, and without
// the folder libcurl keeps the parsed bundle for all handles instead of reading it for each.
bool SystemBundleSuffices() {
  static const bool suffices = [] {
    const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
    return info->age >= CURLVERSION_SEVENTH && info->cainfo != nullptr;
  }();
  return suffices;
}

}  // namespace

Transfer::Transfer(HttpRequest request, OneShot<Outcome> result, const CurlOptions& options,
                   std::shared_ptr<AnswerBudget> budget, Metrics& metrics)
    : request_(std::move(request)),
      result_(std::move(result)),
      options_(options),
      budget_(std::move(budget)),
      metrics_(metrics) {}

Transfer::~Transfer() {
  curl_slist_free_all(headers_);
  curl_slist_free_all(resolved_);
}

absl::Status Transfer::Parse() {
  const auto url = ParseUrl(request_.url);
  if (!url.ok()) return TransportError(TransportFailure::kProtocol, Message(url.status()));
  url_ = url->Text();
  if (!IpAddress::Parse(url->host).ok()) name_ = url->host;
  server_ = url->host + ":" + std::to_string(url->port);
  https_ = url->scheme == "https";
  lease_ = BudgetLease(budget_, url->Origin());
  most_ = std::min(request_.max_response_bytes, budget_->Largest());
  if (!IsToken(request_.method)) {
    return TransportError(TransportFailure::kProtocol, server_ + ": the method is not a word");
  }
  return MakeHeaders();
}

absl::Duration Transfer::ConnectTime() const {
  return std::min(request_.connect_timeout, request_.timeout);
}

absl::Status Transfer::Prepare(CURL* easy, const std::string& addresses, absl::Duration waited) {
  easy_ = easy;
  waited_ = waited;
  SetTarget(easy, addresses);
  SetLimits(easy);
  SetTrust(easy);
  SetBody(easy);
  SetCallbacks(easy);
  return absl::OkStatus();
}

absl::Status Transfer::MakeHeaders() {
  headers_ = curl_slist_append(nullptr, "Expect:");  // no 100-continue: a round trip for nothing
  bool has_type = false;
  for (const HttpHeader& header : request_.headers) {
    if (!IsToken(header.name) || !IsLine(header.value)) {
      return TransportError(
          TransportFailure::kProtocol,
          server_ + ": the header " + SafeText(header.name, 60) + " cannot be sent");
    }
    has_type = has_type || SameWord(header.name, "content-type");
    // An empty value needs a semicolon: with a colon libcurl would leave the header out.
    const std::string line =
        header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  // Else libcurl would call the body a form.
  if (!has_type) headers_ = curl_slist_append(headers_, "Content-Type:");
  return absl::OkStatus();
}

void Transfer::SetTarget(CURL* easy, const std::string& addresses) {
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  if (!addresses.empty()) {
    // With the plus, libcurl forgets it again: the next request brings what is true then.
    resolved_ = curl_slist_append(nullptr, ("+" + server_ + ":" + addresses).c_str());
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolved_);
  }
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // the environment's is not taken
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  // What is offered is also all that is taken (CheckEncoding).
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
}

void Transfer::SetLimits(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Should libcurl look a name up again by itself, a time-out must not wait for the answer.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(ConnectTime() - waited_));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(request_.timeout - waited_));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, kMaxConnectionSeconds);
  if (most_ > 0 && !request_.body_may_be_cut) {
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(most_));
  }
}

void Transfer::SetTrust(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const std::string& ca = request_.ca_pem.empty() ? options_.default_ca_pem : request_.ca_pem;
  if (!ca.empty()) {
    // Not copied: lives as long as the transfer. libcurl compares it before it shares a connection.
    curl_blob blob{const_cast<char*>(ca.data()), ca.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  // The blob replaces the system's file of certificates, but not the system's folder.
  if (!ca.empty() || SystemBundleSuffices()) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
}

void Transfer::SetBody(CURL* easy) {
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request_.method == "GET" && request_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_.body.size()));
  if (request_.method != "POST") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void Transfer::SetCallbacks(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Transfer::OnBeforeRequest);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->TakeBody(data, bytes) ? bytes : 0;
}

bool Transfer::Refuse(TransportFailure failure, std::string why) {
  refused_ = failure;
  why_ = std::move(why);
  return false;
}

bool Transfer::TakeBody(const char* data, std::size_t size) {
  body_began_ = true;
  const auto most = static_cast<std::size_t>(most_);
  const std::size_t fits = std::min(size, most - std::min(most, response_.body.size()));
  if (fits < size && !request_.body_may_be_cut) {
    return Refuse(TransportFailure::kTooLarge, "the answer is larger than " + FormatBytes(most_));
  }
  if (!Reserve(response_.body.size() + fits)) {
    if (request_.body_may_be_cut) return Cut();
    return Refuse(TransportFailure::kOverloaded, "this server's share of the memory for answers (" +
                                                     FormatBytes(options_.response_budget) +
                                                     ") is used up");
  }
  response_.body.append(data, fits);
  return fits == size || Cut();
}

// Ends the exchange here, as if the answer did.
bool Transfer::Cut() {
  response_.body_cut = true;
  return false;
}

// The budget counts what is allocated, not what is filled.
bool Transfer::Reserve(std::size_t bytes) {
  const std::size_t present = body_capacity_;
  if (bytes <= present) return true;
  const auto most = static_cast<std::size_t>(most_);
  const std::size_t ample = std::max(bytes, std::min(most, std::max(2 * present, kFirstReserve)));
  for (const std::size_t capacity : {ample, bytes}) {
    if (!lease_.Grow(static_cast<std::int64_t>(capacity - present))) continue;
    response_.body.reserve(capacity);
    body_capacity_ = capacity;
    return true;
  }
  return false;
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->TakeHeader({data, bytes}) ? bytes : 0;
}

bool Transfer::TakeHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes || response_.headers.size() >= kMaxHeaders) {
    return Refuse(TransportFailure::kProtocol, "the answer has too many headers");
  }
  if (body_began_) return true;  // a trailer: it could contradict what was acted on
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // of an interim answer
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return true;
  const std::string_view name = Trim(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (SameWord(name, "content-encoding") && !CheckEncoding(value)) return false;
  response_.headers.push_back({std::string(name), std::string(value)});
  return true;
}

// libcurl would also unpack what was not offered, and some of those formats make the reader
// allocate far more than the answer is large.
bool Transfer::CheckEncoding(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view word = Trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (word.empty() || SameWord(word, "identity") || SameWord(word, "gzip") ||
        SameWord(word, "x-gzip") || SameWord(word, "deflate")) {
      continue;
    }
    return Refuse(TransportFailure::kProtocol, "the answer has the content encoding " +
                                                   SafeText(word, 40) + ", which was not offered");
  }
  return true;
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype purpose,
                                     curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  const auto ip = IpAddress::FromSockaddr(&address->addr);
  const absl::Status allowed =
      ip.ok() ? transfer.options_.egress.Check(*ip, transfer.https_) : ip.status();
  if (!allowed.ok()) {
    transfer.egress_denied_ = allowed;
    return CURL_SOCKET_BAD;
  }
  transfer.dialled_ = true;
  const int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  transfer.exhausted_ =
      made < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  if (made >= 0) {
    setsockopt(made, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMilliseconds,
               sizeof kUnacknowledgedMilliseconds);
  }
  return made;
}

// A kept-alive connection was dialled for another request: the address is checked for each.
int Transfer::OnBeforeRequest(void* self, char* peer, char*, int, int) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const auto ip = IpAddress::Parse(peer == nullptr ? "" : peer);
  const absl::Status allowed =
      ip.ok() ? transfer.options_.egress.Check(*ip, transfer.https_) : ip.status();
  if (!allowed.ok()) {
    transfer.Refuse(TransportFailure::kEgressDenied, std::string(Message(allowed)));
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.request_began_ = true;
  return CURL_PREREQFUNC_OK;
}

}  // namespace poller
