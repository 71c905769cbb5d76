// JSON-2: POST /json/2/<model>/<method>, from Odoo 19 on, and the only protocol from 22 on.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/secret.h"
#include "core/odoo/codec.h"

namespace poller::odoo {

class Json2Codec final : public Codec {
 public:
  // `url` is the server's, with a path where Odoo lives below one. `key` is an API key: passwords
  // are refused.
  Json2Codec(const std::string& url, std::string database, const Secret& key);

  // GET /web/version, which 18 and older do not have.
  HttpRequest EncodeVersion() override;
  // There is no login: the key says who we are. Asks whose it is.
  HttpRequest EncodeLogin() override;
  HttpRequest EncodeCall(const Call& call, std::int64_t uid) override;
  // The answer is the bare value. Errors come with their own status and an error object.
  absl::StatusOr<boost::json::value> Decode(const HttpResponse& response) override;

 private:
  HttpRequest Post(const Call& call) const;

  std::string base_;
  std::string database_;
  Secret authorization_;
  bool names_records_ = false;
  bool login_ = false;  // the newest question was EncodeLogin
};

}  // namespace poller::odoo
