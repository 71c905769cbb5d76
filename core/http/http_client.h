// One HTTP exchange with a server that we do not trust.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"

namespace poller {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  HttpRequest() = default;  // a constructor, so that g++ 12 does not take it for an aggregate
  std::string method = "POST";
  std::string url;  // http or https
  std::vector<HttpHeader> headers;
  std::string body;
  absl::Duration connect_timeout = absl::Seconds(10);  // DNS, TCP and TLS
  absl::Duration timeout = absl::Seconds(30);          // the whole exchange
  std::int64_t max_response_bytes = 32 << 20;          // after decompression; more is kTooLarge
  // Of an answer that is larger, or for which there is no memory, what was read is given instead of
  // a failure: for those to whom the status says enough.
  bool body_may_be_cut = false;
  std::string ca_pem;  // certificates to trust instead of the system's; empty: the client's default
};

struct HttpResponse {
  HttpResponse() = default;
  int status = 0;
  std::vector<HttpHeader> headers;  // as received, in order
  std::string body;                 // decompressed
  bool body_cut = false;            // there was more of it
  std::string peer;                 // the address that answered, "192.0.2.1:443"
  absl::Duration name_lookup, connect, tls,
      total;  // each from the start of the request; zero where it did not happen

  // The first header of that name (case-insensitive).
  std::optional<std::string_view> Header(std::string_view name) const;
};

// How an exchange failed when there is no answer. The first five happen before a byte of the
// request was sent.
enum class TransportFailure {
  kDns,           // the name does not resolve
  kConnect,       // refused, unreachable, or no TCP connection within connect_timeout
  kTls,           // handshake, certificate or name
  kEgressDenied,  // every address is one that the operator does not allow
  kExhausted,     // we have no socket or memory to ask: nothing is wrong with the server, try later
  kCancelled,     // the client is shutting down; the request may have been sent
  kTimeout,  // connected, but no complete answer within `timeout`: the server may have acted on the
             // request
  kReset,    // the connection broke after it was made: the server may have acted on the request
  kTooLarge,    // the answer exceeds max_response_bytes
  kOverloaded,  // the memory for answers is used up: nothing is wrong with the server, try later
  kProtocol,    // not HTTP, bad encoding, or a URL or header that cannot be sent
};

// "dns", "connect", "tls", ...: stable words for logs, events and answers.
std::string_view TransportFailureName(TransportFailure failure);
absl::Status TransportError(TransportFailure failure, std::string_view message);
// Nothing if `status` did not come from TransportError.
std::optional<TransportFailure> TransportFailureOf(const absl::Status& status);
// The failure is ours and says nothing about the server: kExhausted, kOverloaded, kCancelled.
bool IsOurFailure(TransportFailure failure);
// False only where no byte of the request can have reached the server.
bool MayHaveBeenReceived(TransportFailure failure);

// Thread-safe. Verifies TLS; follows no redirect; keeps no cookies; ignores proxies of the
// environment and netrc; checks each address before it dials it.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any answer with a status is a response, 500 too. Otherwise a TransportError whose message names
  // host and cause, never the query, a header or the body. A kept-alive connection that turns out
  // to be closed before a byte of the answer came is replaced, and the request is sent once more:
  // the server may see it twice.
  virtual Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request) = 0;
};

}  // namespace poller
