// How a call becomes an HTTP exchange: the one place where Odoo's protocols differ.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/http/http_client.h"

namespace poller::odoo {

// A call of a model's method. All arguments go by name, the only way that every protocol has.
struct Call {
  Call() = default;  // a constructor, so that g++ 12 does not take it for an aggregate
  Call(std::string model_name, std::string method_name)
      : model(std::move(model_name)), method(std::move(method_name)) {}

  std::string model;
  std::string method;
  std::vector<std::int64_t>
      ids;  // the records that the method works on; empty: a method of the model
  boost::json::object arguments;
  // An error can be the fault of one record: `ids`, or ids in the domain.
  bool names_records = false;
};

// One protocol, for one server, database and user. Encode and Decode go in turns: Decode reads the
// answer to the newest Encode. Not synchronised.
class Codec {
 public:
  virtual ~Codec() = default;

  // Works without login. Decodes to an object that names the version (version.h).
  virtual HttpRequest EncodeVersion() = 0;
  // Decodes to the user's id, or to false where login or key are refused.
  virtual HttpRequest EncodeLogin() = 0;
  // As the user `uid`, who logged in before.
  virtual HttpRequest EncodeCall(const Call& call, std::int64_t uid) = 0;

  // What the method returned (null where it returns nothing), or an error with an ErrorKind. The
  // message may hold what Odoo said, not yet cut or masked.
  virtual absl::StatusOr<boost::json::value> Decode(const HttpResponse& response) = 0;
};

}  // namespace poller::odoo
