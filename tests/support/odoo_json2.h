// The JSON-2 edge of the simulated Odoo: POST /json/2/<model>/<method>, and GET /web/version.
#pragma once

#include "tests/support/http_types.h"

namespace poller::test {

class OdooSim;

TestReply AnswerJson2(OdooSim& server, const TestRequest& request);
TestReply AnswerWebVersion(OdooSim& server);

}  // namespace poller::test
