#include "core/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/civil_time.h"
#include "core/base/log_line.h"
#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using std::string_literals::operator""s;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const absl::Time kTime =
    absl::FromCivil(absl::CivilSecond(2026, 1, 15, 10, 31, 2), absl::UTCTimeZone()) +
    absl::Milliseconds(120);

std::string Logfmt(const std::vector<LogField>& fields, std::string_view message = "poll done") {
  return FormatLogLine(LogFormat::kLogfmt, kTime, LogLevel::kInfo, message, fields);
}
std::string Json(const std::vector<LogField>& fields, std::string_view message = "poll done") {
  return FormatLogLine(LogFormat::kJson, kTime, LogLevel::kWarning, message, fields);
}

TEST(LogLineTest, LogfmtHasTimeLevelMessageAndFieldsInOrder) {
  EXPECT_EQ(Logfmt({{"connection", 7}, {"order", "S00042"}, {"reason", "no such host"}}),
            "time=2026-01-15T10:31:02.120Z level=info msg=\"poll done\" connection=7 order=S00042 "
            "reason=\"no such host\"");
}

TEST(LogLineTest, JsonHasTheSameAsText) {
  EXPECT_EQ(
      Json({{"connection", 7}, {"order", "S00042"}}),
      R"({"time":"2026-01-15T10:31:02.120Z","level":"warning","msg":"poll done","connection":"7","order":"S00042"})");
}

TEST(LogLineTest, LogfmtQuotesWhatWouldReadAsSomethingElse) {
  EXPECT_THAT(Logfmt({{"a", ""}}), EndsWith(" a=\"\""));
  EXPECT_THAT(Logfmt({{"a", "x=y"}}), EndsWith(" a=\"x=y\""));
  EXPECT_THAT(Logfmt({{"a", "say \"hi\""}}), EndsWith(R"( a="say \"hi\"")"));
  EXPECT_THAT(Logfmt({{"a", "back\\slash"}}), EndsWith(R"( a="back\\slash")"));
  EXPECT_THAT(Logfmt({{"a", "https://shop.example/x"}}), EndsWith(" a=https://shop.example/x"));
}

TEST(LogLineTest, NoValueCanBreakTheLine) {
  const std::vector<std::string> hostile = {"a\nlevel=error msg=forged",
                                            "a\r\nb",
                                            "\x1b[2J",
                                            "nul\0byte"s,
                                            "\xE2\x80\xA8",
                                            "\xC2\x85",
                                            "\xFF",
                                            "\xE2\x80\xAE",
                                            "\"},{\"level\":\"x",
                                            std::string(100'000, '\n')};
  for (const std::string& value : hostile) {
    for (const std::string& line :
         {Logfmt({{"error", value}}), Json({{"error", value}}), Logfmt({}, value)}) {
      EXPECT_TRUE(IsValidUtf8(line)) << line;
      EXPECT_TRUE(std::none_of(line.begin(), line.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      })) << line;
      EXPECT_LT(line.size(), 5000u);
    }
  }
  EXPECT_THAT(Logfmt({{"error", hostile[0]}}), EndsWith(R"( error="a\nlevel=error msg=forged")"));
  EXPECT_THAT(Json({{"error", hostile[8]}}), EndsWith(R"("error":"\"},{\"level\":\"x"})"));
}

TEST(LogLineTest, NoKeyCanBreakTheLine) {
  EXPECT_THAT(Logfmt({{"a b=\"\n", 1}}), EndsWith(" a_b___=1"));
  EXPECT_THAT(Json({{"", 1}}), EndsWith(R"("_":"1"})"));
}

TEST(LogFieldTest, WritesNumbersIdsAndStatus) {
  using TestId = StrongId<struct TestIdTag>;
  EXPECT_EQ(LogField("n", std::int64_t{-5}).value, "-5");
  EXPECT_EQ(LogField("n", std::uint64_t{18446744073709551615u}).value, "18446744073709551615");
  EXPECT_EQ(LogField("id", TestId(42)).value, "42");
  EXPECT_EQ(LogField("error", absl::NotFoundError("no connection 7")).value,
            "NOT_FOUND: no connection 7");
}

TEST(ParseLogLevelTest, ReadsTheWordsAndNamesThem) {
  EXPECT_THAT(ParseLogLevel("debug"), IsOkAndHolds(LogLevel::kDebug));
  EXPECT_THAT(ParseLogLevel("info"), IsOkAndHolds(LogLevel::kInfo));
  EXPECT_THAT(ParseLogLevel("warning"), IsOkAndHolds(LogLevel::kWarning));
  EXPECT_THAT(ParseLogLevel("error"), IsOkAndHolds(LogLevel::kError));
  EXPECT_THAT(ParseLogLevel("loud"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("warning")));
  EXPECT_THAT(ParseLogFormat("logfmt"), IsOkAndHolds(LogFormat::kLogfmt));
  EXPECT_THAT(ParseLogFormat("json"), IsOkAndHolds(LogFormat::kJson));
  EXPECT_THAT(ParseLogFormat("xml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("logfmt")));
}

TEST(StderrLoggerTest, WritesWhatItsLevelLetsThrough) {
  testing::internal::CaptureStderr();
  {
    StderrLogger logger(LogLevel::kWarning, LogFormat::kLogfmt);
    logger.Info("not seen");
    logger.Warning("seen", {{"connection", 7}});
    logger.SetLevel(LogLevel::kDebug);
    EXPECT_TRUE(logger.Enabled(LogLevel::kDebug));
    logger.Debug("seen too {}");
    logger.SetLevel(LogLevel::kError);
    logger.Warning("no longer");
    logger.Error("always");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, Not(HasSubstr("not seen")));
  EXPECT_THAT(text, HasSubstr("level=warning msg=seen connection=7\n"));
  EXPECT_THAT(text, HasSubstr("level=debug msg=\"seen too {}\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("no longer")));
  EXPECT_THAT(text, HasSubstr("level=error msg=always\n"));
}

TEST(StderrLoggerTest, LinesOfManyThreadsDoNotMix) {
  testing::internal::CaptureStderr();
  {
    StderrLogger logger(LogLevel::kInfo, LogFormat::kLogfmt);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&logger] {
        for (int i = 0; i < 100; ++i) logger.Info("tick", {{"text", std::string(300, 'x')}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 800);
  std::size_t start = 0;
  for (int i = 0; i < 800; ++i) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    ASSERT_TRUE(line.starts_with("time=") && line.ends_with("xxx") && line.size() < 400) << line;
    start = end + 1;
  }
}

TEST(NullLoggerTest, IsNeverEnabled) {
  EXPECT_FALSE(NullLogger().Enabled(LogLevel::kError));
  NullLogger().Error("nothing happens");
}

}  // namespace
}  // namespace poller
