// Reading the small JSON bodies of the control APIs.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/http_types.h"
#include "tests/support/py_json.h"

namespace poller::test {

class ControlBody {
 public:
  // Empty if the body is neither empty nor a JSON object.
  static std::optional<ControlBody> Parse(const TestRequest& request) {
    if (request.body.empty()) return ControlBody({});
    boost::system::error_code failed;
    const boost::json::value value = boost::json::parse(request.body, failed);
    if (failed || !value.is_object()) return std::nullopt;
    return ControlBody(value.get_object());
  }

  bool Has(std::string_view key) const { return object_.contains(key); }
  std::string Text(std::string_view key, std::string_view otherwise = "") const {
    const boost::json::value* value = object_.if_contains(key);
    return std::string(
        value != nullptr && value->is_string() ? std::string_view(value->get_string()) : otherwise);
  }
  double Number(std::string_view key, double otherwise = 0) const {
    const boost::json::value* value = object_.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<double>() : otherwise;
  }
  std::int64_t Int(std::string_view key, std::int64_t otherwise = 0) const {
    return static_cast<std::int64_t>(Number(key, static_cast<double>(otherwise)));
  }

 private:
  explicit ControlBody(boost::json::object object) : object_(std::move(object)) {}
  boost::json::object object_;
};

inline TestReply ControlAnswer(const boost::json::object& body) {
  return JsonReply(200, PyJson(boost::json::value(body)) + "\n");
}
inline TestReply ControlError(int status, const std::string& what) {
  return JsonReply(status, PyJson(boost::json::object{{"error", what}}) + "\n");
}

}  // namespace poller::test
