#include "tests/support/test_data.h"

namespace poller::test {

std::filesystem::path TestData() { return POLLER_TEST_DATA; }

}  // namespace poller::test
