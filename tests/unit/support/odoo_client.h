// Calls of a simulated Odoo as a remote client makes them, without sockets.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/odoo_sim.h"

namespace poller::test {

class OdooTestClient {
 public:
  explicit OdooTestClient(OdooSim& sim, std::string db = "shop1", RecordId uid = 2,
                          std::string key = "admin-key")
      : sim_(sim), db_(std::move(db)), uid_(uid), key_(std::move(key)) {}

  TestReply Post(const std::string& service, const std::string& method,
                 const boost::json::array& args) const {
    const boost::json::object body = {
        {"jsonrpc", "2.0"},
        {"method", "call"},
        {"id", 1},
        {"params", {{"service", service}, {"method", method}, {"args", args}}}};
    return sim_.Handle("POST", "/jsonrpc", {{"Content-Type", "application/json"}},
                       boost::json::serialize(body));
  }
  TestReply Send(const std::string& model, const std::string& method,
                 const boost::json::array& args, const boost::json::object& kwargs = {}) const {
    return Post("object", "execute_kw", {db_, uid_, key_, model, method, args, kwargs});
  }
  // The whole answer.
  boost::json::object Call(const std::string& model, const std::string& method,
                           const boost::json::array& args,
                           const boost::json::object& kwargs = {}) const {
    return boost::json::parse(Send(model, method, args, kwargs).body).as_object();
  }
  boost::json::value Result(const std::string& model, const std::string& method,
                            const boost::json::array& args,
                            const boost::json::object& kwargs = {}) const {
    return Call(model, method, args, kwargs).at("result");
  }
  // "builtins.ValueError", or "" if it is no error.
  std::string Error(const std::string& model, const std::string& method,
                    const boost::json::array& args, const boost::json::object& kwargs = {}) const {
    const boost::json::object body = Call(model, method, args, kwargs);
    if (!body.contains("error")) return "";
    return std::string(body.at("error").at("data").at("name").as_string());
  }
  std::vector<RecordId> Search(const std::string& model, const std::string& domain,
                               const boost::json::object& kwargs = {}) const {
    std::vector<RecordId> ids;
    const boost::json::value found = Result(model, "search", {boost::json::parse(domain)}, kwargs);
    for (const auto& id : found.as_array()) ids.push_back(id.as_int64());
    return ids;
  }

 private:
  OdooSim& sim_;
  std::string db_;
  RecordId uid_;
  std::string key_;
};

}  // namespace poller::test
