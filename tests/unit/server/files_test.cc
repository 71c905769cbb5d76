#include "server/files.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "pollerd-files-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    folder = name;
  }
  ~FilesTest() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST_F(FilesTest, AreReadAsTheyWereWritten) {
  ASSERT_OK(WriteNewSecretFile(folder / "key", Secret("one\ntwo\n")));
  ASSERT_OK_AND_ASSIGN(const Secret content, ReadSmallFile(folder / "key"));
  EXPECT_EQ(content.Reveal(), "one\ntwo\n");
  EXPECT_FALSE(IsReadableByOthers(folder / "key"));
}

TEST_F(FilesTest, AreNeverReplaced) {
  ASSERT_OK(WriteNewSecretFile(folder / "key", Secret("first")));
  EXPECT_THAT(WriteNewSecretFile(folder / "key", Secret("second")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("key")));
  EXPECT_EQ(ReadSmallFile(folder / "key")->Reveal(), "first");
}

TEST_F(FilesTest, LeaveNoDraftBehind) {
  ASSERT_OK(WriteNewSecretFile(folder / "key", Secret("x")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(FilesTest, SayWhatIsWrongWithThem) {
  EXPECT_THAT(ReadSmallFile(folder / "none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_THAT(ReadSmallFile(folder),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("directory")));
  ASSERT_OK(WriteNewSecretFile(folder / "large", Secret(std::string((1 << 20) + 1, 'x'))));
  EXPECT_THAT(ReadSmallFile(folder / "large"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("large")));
  EXPECT_THAT(WriteNewSecretFile(folder / "no" / "folder", Secret("x")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FilesTest, AreSeenToBeOpenToOthers) {
  ASSERT_OK(WriteNewSecretFile(folder / "key", Secret("x")));
  ASSERT_EQ(chmod((folder / "key").c_str(), 0640), 0);
  EXPECT_TRUE(IsReadableByOthers(folder / "key"));
}

}  // namespace
}  // namespace poller
