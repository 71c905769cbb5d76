#include "core/http/curl/transfer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"

namespace poller {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxHeaders = 200;

bool IsLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

long Milliseconds(absl::Duration duration) {
  return static_cast<long>(
      std::clamp<std::int64_t>(absl::ToInt64Milliseconds(duration), 1, 1 << 30));
}

absl::Duration TimeOf(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return absl::Microseconds(microseconds);
}

// What a name server or a TLS library says can hold anything: it is cut and made safe by the
// caller.
std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Transfer::Transfer(HttpRequest request, OneShot<absl::StatusOr<HttpResponse>> result,
                   const CurlOptions& options, std::atomic<std::int64_t>& budget_used)
    : request_(std::move(request)),
      result_(std::move(result)),
      options_(options),
      budget_used_(budget_used) {}

Transfer::~Transfer() {
  curl_slist_free_all(headers_);
  budget_used_ -= held_;
}

absl::Status Transfer::Prepare(CURL* easy) {
  const auto url = ParseUrl(request_.url);
  if (!url.ok()) return TransportError(TransportFailure::kProtocol, Message(url.status()));
  host_ = url->host;
  https_ = url->scheme == "https";
  headers_ = curl_slist_append(nullptr, "Expect:");  // no 100-continue: a round trip for nothing
  for (const HttpHeader& header : request_.headers) {
    if (!IsLine(header.name) || !IsLine(header.value)) {
      return TransportError(TransportFailure::kProtocol,
                            "the header " + SafeText(header.name, 60) + " is not one line");
    }
    // An empty value needs a semicolon: with a colon libcurl would leave the header out.
    const std::string line =
        header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  easy_ = easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   Milliseconds(std::min(request_.connect_timeout, request_.timeout)));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(request_.timeout));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  const std::string& ca = request_.ca_pem.empty() ? options_.default_ca_pem : request_.ca_pem;
  if (!ca.empty()) {
    curl_blob blob{const_cast<char*>(ca.data()), ca.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (request_.method == "GET") {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    if (request_.method != "POST")
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  return absl::OkStatus();
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->TakeBody(data, bytes) ? bytes : 0;
}

bool Transfer::TakeBody(const char* data, std::size_t size) {
  const auto more = static_cast<std::int64_t>(size);
  if (static_cast<std::int64_t>(response_.body.size()) + more > request_.max_response_bytes) {
    too_large_ = "the answer is larger than " + FormatBytes(request_.max_response_bytes);
    return false;
  }
  held_ += more;
  if (budget_used_.fetch_add(more) + more > options_.response_budget) {
    too_large_ =
        "the memory for answers (" + FormatBytes(options_.response_budget) + ") is used up";
    return false;
  }
  response_.body.append(data, size);
  return true;
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->TakeHeader({data, bytes}) ? bytes : 0;
}

bool Transfer::TakeHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes || response_.headers.size() >= kMaxHeaders) {
    too_large_ = "the answer has too many headers";
    return false;
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // of an interim answer
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.push_back(
      {std::string(Trim(line.substr(0, colon))), std::string(Trim(line.substr(colon + 1)))});
  return true;
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address) {
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
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool Transfer::RequestStarted() const {
  long sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &sent);
  return sent > 0;
}

TransportFailure Transfer::Classify(CURLcode code) const {
  if (!too_large_.empty()) return TransportFailure::kTooLarge;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return TransportFailure::kDns;
    case CURLE_COULDNT_CONNECT:
      return !dialled_ && !egress_denied_.ok() ? TransportFailure::kEgressDenied
                                               : TransportFailure::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return TransportFailure::kTls;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return TransportFailure::kProtocol;
    case CURLE_OPERATION_TIMEDOUT:
      if (RequestStarted()) return TransportFailure::kTimeout;
      return https_ && TimeOf(easy_, CURLINFO_CONNECT_TIME_T) > absl::ZeroDuration()
                 ? TransportFailure::kTls
                 : TransportFailure::kConnect;
    default:
      return RequestStarted() ? TransportFailure::kReset : TransportFailure::kConnect;
  }
}

absl::Status Transfer::Error(CURLcode code) const {
  const TransportFailure failure = Classify(code);
  std::string why = !too_large_.empty() ? too_large_
                    : failure == TransportFailure::kEgressDenied
                        ? std::string(Message(egress_denied_))
                    : error_[0] != '\0' ? SafeText(Trim(error_), 300)
                                        : curl_easy_strerror(code);
  return TransportError(failure, host_ + ": " + why);
}

void Transfer::FillTimes() {
  response_.name_lookup = TimeOf(easy_, CURLINFO_NAMELOOKUP_TIME_T);
  response_.connect = TimeOf(easy_, CURLINFO_CONNECT_TIME_T);
  response_.tls = TimeOf(easy_, CURLINFO_APPCONNECT_TIME_T);
  response_.total = TimeOf(easy_, CURLINFO_TOTAL_TIME_T);
}

void Transfer::Complete(CURLcode code) {
  if (code != CURLE_OK) {
    Fail(Error(code));
    return;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) {
    Fail(TransportError(TransportFailure::kProtocol, host_ + ": the answer has no status"));
    return;
  }
  response_.status = static_cast<int>(status);
  char* peer = nullptr;
  long port = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &peer);
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_PORT, &port);
  if (peer != nullptr && *peer != '\0') {
    const std::string ip = peer;
    response_.peer =
        (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
  }
  FillTimes();
  result_.Set(std::move(response_));
}

void Transfer::Fail(const absl::Status& status) { result_.Set(status); }

}  // namespace poller
