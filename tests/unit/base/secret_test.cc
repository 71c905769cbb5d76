#include "core/base/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>

namespace poller {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Streamable<Secret>, "a secret must not reach a stream");
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(SecretTest, MoveLeavesNothingBehind) {
  Secret from("a secret that is longer than the small string");
  const Secret to(std::move(from));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
  EXPECT_EQ(to.Reveal(), "a secret that is longer than the small string");
}

TEST(SecretTest, AssignmentReplacesAndSelfAssignmentKeeps) {
  Secret secret("first one");
  const Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.Reveal(), "first one");
  secret = Secret("second");
  EXPECT_EQ(secret.Reveal(), "second");
}

TEST(SecretTest, ComparesContent) {
  EXPECT_EQ(Secret("abc"), Secret("abc"));
  EXPECT_FALSE(Secret("abc") == Secret("abd"));
  EXPECT_FALSE(Secret("abc") == Secret("abcd"));
  EXPECT_EQ(Secret(), Secret(""));
}

TEST(WipeStringTest, EmptiesAndOverwritesTheWholeBuffer) {
  std::string text = "a secret that is longer than the small string";
  text.resize(10);
  const char* const data = text.data();
  const std::size_t capacity = text.capacity();
  WipeString(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), data);
  ASSERT_EQ(text.capacity(), capacity);
  text.resize(capacity);  // grows in place: shows what stood there, save the first byte
  EXPECT_EQ(text.find_first_not_of('\0'), std::string::npos);
}

}  // namespace
}  // namespace poller
