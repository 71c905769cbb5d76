// JSON and texts as Python writes them, so that a client meets the bytes of a real Odoo.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace poller::test {

// json.dumps(value): ", " and ": " between, everything beyond ASCII as \uXXXX, floats as 119.0
// and 19.900000000000002.
std::string PyJson(const boost::json::value& value);
// repr(value): 'text', True, None, [1, 2.0].
std::string PyRepr(const boost::json::value& value);
// repr of a float: the shortest text that reads back equal, always with a fraction or an exponent.
std::string PyFloat(double value);

}  // namespace poller::test
