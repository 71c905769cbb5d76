// Files that tests read.
#pragma once

#include <filesystem>

namespace poller::test {

// The folder tests/data of the checkout that was built.
std::filesystem::path TestData();

}  // namespace poller::test
