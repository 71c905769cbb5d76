# Clock, sleeper and chance of the tests, and matchers for Status.
poller_library(NAME test_time
  SRCS fake_time.cc
  HDRS fake_random.h fake_time.h status_matchers.h
  DEPS base async Boost::headers GTest::gmock)
