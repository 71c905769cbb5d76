// An Odoo that answers from the recordings in tests/data/odoo.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/http/http_client.h"
#include "core/odoo/codec.h"

namespace poller::odoo {

struct Recording {
  std::string name;  // "17/56-product_product-read.json"
  boost::json::value request_body;
  int status = 0;
  std::string content_type;
  boost::json::value body;
};
// `name` is a path below tests/data/odoo; a missing or odd file aborts.
Recording LoadRecording(const std::string& name);
// All of one version ("17", "19-json2") by name.
std::vector<Recording> LoadRecordings(const std::string& version);
std::string ReadTestFile(const std::string& path);
// The codec of the recording's protocol, for a server that the recordings do not name.
std::unique_ptr<Codec> MakeCodec(const Recording& recording);
// The recorded answer; one of JSON-RPC carries `id`.
HttpResponse AnswerTo(const Recording& recording, std::int64_t id);

// Rows are matched by model and method, and cut to the ids and fields asked for, as Odoo does. A
// field that is unknown is the error that this version gives. Every answer has a Date header. It
// answers on /jsonrpc and, as 19, on /json/2.
class RecordedOdoo {
 public:
  explicit RecordedOdoo(const std::string& version);

  HttpResponse Answer(const HttpRequest& request);

  // "sale.order.search_read", "login", in order.
  std::vector<std::string> calls;
  int Count(const std::string& call) const;
  // What happens beyond the recordings: the answer to the next call of that name is this error,
  // whose id is set.
  void FailNext(const std::string& call, boost::json::object error_answer);
  // Sees, and may change, the rows of each read before they are sent.
  std::function<void(const std::string& call, std::vector<boost::json::object>& rows)> touch;
  // What fields_get knows.
  std::map<std::string, std::vector<std::string>> fields;
  // Whether web_read exists, which 16 does not have.
  bool nested = true;
  // Whether there is /jsonrpc; whether JSON-2 takes our key.
  bool has_json_rpc = true, takes_key = true;
  std::string date = "Tue, 24 Nov 2026 14:30:00 GMT";
  const std::string& database() const { return database_; }

 private:
  // A call as both protocols bring it.
  struct Question {
    std::string model, method;
    boost::json::array ids;
    boost::json::object arguments;
  };
  HttpResponse AnswerJsonRpc(const HttpRequest& request);
  HttpResponse AnswerJson2(const HttpRequest& request);
  // The answer that was planned for that call; null: none.
  boost::json::value TakeFailure(const std::string& call);
  // {"result": …} or {"error": …}.
  boost::json::value Execute(const Question& question);
  boost::json::value Nested(const std::string& model, const boost::json::object& row,
                            const boost::json::object& specification) const;
  boost::json::value WebRead(const Question& question);
  boost::json::value FieldsGet(const std::string& model, const boost::json::object& kwargs) const;
  std::vector<boost::json::object> Select(const Question& question) const;
  std::string UnknownField(const std::string& model, const boost::json::object& kwargs) const;

  std::string version_;
  std::string database_;
  std::map<std::string, std::vector<boost::json::object>> rows_;  // by model
  boost::json::object unrecorded_;
  std::vector<std::pair<std::string, boost::json::object>> failures_;
};

// {"error": …} as JSON-RPC carries a Python exception.
boost::json::object ErrorAnswer(const std::string& name, const std::string& message);

}  // namespace poller::odoo
