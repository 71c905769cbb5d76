// The recordings of real Odoo, and a simulated one that holds their data.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "tests/support/odoo_sim.h"

namespace poller::test {

struct Recording {
  std::string name;
  TestRequest request;
  int status = 0;
  std::string content_type;
  boost::json::value body;  // text for what is not JSON
};

// tests/data/odoo/VERSION/NAME.json; `name` may be the leading number alone ("51"). Aborts if it is
// not there.
Recording LoadRecording(int version, const std::string& name);
// `folder` is that of a protocol: "19-json2".
Recording LoadRecording(const std::string& folder, const std::string& name);

// A server of that version with the database, users and records that the recordings show. The keys
// are the recordings' placeholders.
std::unique_ptr<OdooSim> RecordedOdoo(int version);
// The name of its database.
std::string RecordedDatabase(int version);

// The parsed body of an answer; text for what is not JSON. `debug`, which the recordings lack, is
// removed.
boost::json::value BodyOf(const TestReply& reply);

}  // namespace poller::test
