// The other half of Transfer: what came of the exchange, in our words.
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/http/curl/transfer.h"

namespace poller {
namespace {

absl::Duration TimeOf(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return absl::Microseconds(microseconds);
}

std::string_view FirstLine(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

TransportFailure Transfer::Classify(CURLcode code) const {
  if (refused_) return *refused_;
  switch (code) {
    case CURLE_FILESIZE_EXCEEDED:
      return TransportFailure::kTooLarge;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return TransportFailure::kProtocol;
    default:
      break;
  }
  if (!request_began_) return ClassifyBeforeRequest(code);
  // Whatever libcurl says now, it may be about a second connection.
  return code == CURLE_OPERATION_TIMEDOUT ? TransportFailure::kTimeout : TransportFailure::kReset;
}

TransportFailure Transfer::ClassifyBeforeRequest(CURLcode code) const {
  long local_port = 0;  // known once TCP is connected; the time of it only when TLS is too
  curl_easy_getinfo(easy_, CURLINFO_LOCAL_PORT, &local_port);
  if (exhausted_) return TransportFailure::kExhausted;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportFailure::kDns;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return TransportFailure::kTls;
    default:
      break;
  }
  if (!dialled_ && !egress_denied_.ok()) return TransportFailure::kEgressDenied;
  return https_ && local_port > 0 ? TransportFailure::kTls : TransportFailure::kConnect;
}

absl::Status Transfer::Error(TransportFailure failure, CURLcode code) const {
  std::string why;
  if (refused_) {
    why = why_;
  } else if (failure == TransportFailure::kEgressDenied) {
    why = std::string(Message(egress_denied_));
  } else if (failure == TransportFailure::kExhausted) {
    why = "this machine has no sockets left for it";
  } else {
    // What a name server or a TLS peer says stands in it.
    why = error_[0] != '\0' ? SafeText(FirstLine(error_), 300) : curl_easy_strerror(code);
  }
  return TransportError(failure, server_ + ": " + why);
}

void Transfer::FillPeer() {
  char* peer = nullptr;
  long port = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &peer);
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_PORT, &port);
  if (peer == nullptr || *peer == '\0') return;
  const std::string ip = peer;
  response_.peer =
      (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

void Transfer::FillTimes() {
  response_.total = waited_ + TimeOf(easy_, CURLINFO_TOTAL_TIME_T);
  long dialled = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &dialled);
  if (dialled == 0) return;  // a kept-alive connection: nothing was looked up or connected
  response_.name_lookup = waited_ + TimeOf(easy_, CURLINFO_NAMELOOKUP_TIME_T);
  response_.connect = waited_ + TimeOf(easy_, CURLINFO_CONNECT_TIME_T);
  if (https_) response_.tls = waited_ + TimeOf(easy_, CURLINFO_APPCONNECT_TIME_T);
}

void Transfer::Complete(CURLcode code) {
  if (code != CURLE_OK && !response_.body_cut) {
    Fail(Error(Classify(code), code));
    return;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) {
    Fail(TransportError(TransportFailure::kProtocol, server_ + ": the answer has no status"));
    return;
  }
  response_.status = static_cast<int>(status);
  FillPeer();
  FillTimes();
  Resolve(std::move(response_));
}

void Transfer::FailName(const std::string& why, bool exhausted) {
  const auto failure = exhausted ? TransportFailure::kExhausted : TransportFailure::kDns;
  Fail(TransportError(failure, server_ + ": could not look up the name: " + SafeText(why, 300)));
}

void Transfer::Fail(const absl::Status& status) {
  response_ = HttpResponse();  // its memory goes with its share of the budget
  Resolve(status);
}

void Transfer::Resolve(absl::StatusOr<HttpResponse> response) {
  const auto failure = TransportFailureOf(response.status());
  const std::string_view how = failure ? TransportFailureName(*failure) : "answered";
  metrics_
      .GetCounter("poller_http_requests_total", "Requests that ended, by how.",
                  {{"result", std::string(how)}})
      .Add();
  result_.Set(Outcome(std::move(response), std::move(lease_)));
}

}  // namespace poller
