// JSON-RPC: POST /jsonrpc, the protocol of every Odoo up to 21.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/secret.h"
#include "core/odoo/codec.h"

namespace poller::odoo {

class JsonRpcCodec final : public Codec {
 public:
  // `url` is the server's, with a path where Odoo lives below one.
  JsonRpcCodec(const std::string& url, std::string database, std::string username, Secret key);

  HttpRequest EncodeVersion() override;
  HttpRequest EncodeLogin() override;
  HttpRequest EncodeCall(const Call& call, std::int64_t uid) override;
  // Strict: the answer is one JSON object of version 2.0 with the id of the question. Odoo's errors
  // come with status 200 and are told by their name; `code` differs between versions and is
  // ignored, `debug` is never looked at.
  absl::StatusOr<boost::json::value> Decode(const HttpResponse& response) override;

 private:
  HttpRequest Encode(const char* service, const char* method, boost::json::array args);

  std::string endpoint_;
  std::string database_;
  std::string username_;
  Secret key_;
  std::int64_t last_id_ = 0;
  bool names_records_ = false;
};

}  // namespace poller::odoo
