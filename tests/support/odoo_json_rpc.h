// The JSON-RPC edge of the simulated Odoo: POST /jsonrpc.
#pragma once

#include "tests/support/http_types.h"

namespace poller::test {

class OdooSim;

TestReply AnswerJsonRpc(OdooSim& server, const TestRequest& request);

}  // namespace poller::test
