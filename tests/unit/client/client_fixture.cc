#include "tests/unit/client/client_fixture.h"

#include <filesystem>
#include <fstream>

namespace poller::client {

std::string ClientTest::WriteFile(const std::string& name, const std::string& content) {
  const auto folder = std::filesystem::path(testing::TempDir()) /
                      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
                       "-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / name;
  std::ofstream(path, std::ios::binary) << content;
  files_.push_back(folder);
  return path;
}

ClientTest::~ClientTest() {
  for (const std::string& folder : files_) std::filesystem::remove_all(folder);
}

}  // namespace poller::client
