// HTTP as the fakes of the outside world see it: a request that arrived, and an answer together
// with how it travels. Plain values, so that a fake can be asked without any socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace poller::test {

// In the order of the wire; names compare without case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields)
      : fields_(fields) {}

  void Add(std::string_view name, std::string_view value);
  // Replaces all of that name.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);
  bool Has(std::string_view name) const;
  // The first value of that name, or "".
  std::string Get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct TestRequest {
  std::string method = "POST";
  std::string path = "/";  // without the query
  std::string query = {};  // without the "?"
  HttpHeaders headers = {};
  std::string body = {};
  // Which connection of the server it came on, from 1; 0 when it came without a socket.
  std::uint64_t connection = 0;
};

// How an answer ends on the wire.
enum class Ending {
  kComplete,  // as HTTP wants it
  kHang,      // `cut_after` bytes of head and body are sent, then nothing until the server stops
  kReset,     // `cut_after` bytes are sent, then the connection is reset (RST)
  kClose,     // `cut_after` bytes are sent, then the connection is closed in good order (FIN)
};

struct TestReply {
  int status = 200;
  HttpHeaders headers = {};
  std::string body = {};

  bool send_date =
      true;  // false: the server adds no Date header (one in `headers` is sent all the same)
  bool chunked = false;  // Transfer-Encoding: chunked instead of Content-Length
  bool gzip = false;     // the body is compressed on the wire, with Content-Encoding: gzip
  bool close = false;    // closes the connection after the answer
  std::uint64_t filler =
      0;  // this many spaces follow the body, made while sending: huge without memory

  absl::Duration delay = absl::ZeroDuration();  // before the first byte
  std::size_t drip_bytes =
      0;  // 0: all at once; else that many bytes of the whole answer every `drip_every`
  absl::Duration drip_every = absl::ZeroDuration();
  Ending ending = Ending::kComplete;
  std::uint64_t cut_after = 0;  // see Ending

  // Called once, on the server's thread, when the answer was sent, or will never be: `sent` tells
  // which.
  std::function<void(bool sent)> on_done = nullptr;
};

// "Tue, 24 Nov 2026 14:31:43 GMT": whole seconds, truncated.
std::string FormatHttpDate(absl::Time time);
// "Service Unavailable"; "Unknown" for a status without a name.
std::string_view ReasonPhrase(int status);
// `data` as one gzip member.
std::string Gzip(std::string_view data);
// The value of `key` in a query such as "db=shop1&limit=5", percent-decoded; "" if it is not there.
std::string QueryValue(std::string_view query, std::string_view key);

TestReply JsonReply(int status, std::string body);
TestReply TextReply(int status, std::string body);
// The connection is reset before any byte of an answer.
TestReply ResetReply();
// No byte of an answer, ever.
TestReply HangReply();

}  // namespace poller::test
