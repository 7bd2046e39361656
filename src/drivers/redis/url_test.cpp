#include "drivers/redis/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisUrl, EveryPartIsRead) {
  const auto endpoint =
      parse_url("rediss://front%40desk:p%3A%2f%25@cache.example:7000/3?ca=/etc/ca%20file.pem");
  ASSERT_TRUE(endpoint) << endpoint.error().detail;
  EXPECT_EQ(endpoint->host, "cache.example");
  EXPECT_EQ(endpoint->port, 7000);
  EXPECT_EQ(endpoint->database, 3);
  EXPECT_EQ(endpoint->user.reveal(), "front@desk");
  EXPECT_EQ(endpoint->password.reveal(), "p:/%");
  EXPECT_EQ(endpoint->transport, Transport::tls);
  EXPECT_EQ(endpoint->ca_file, "/etc/ca file.pem");
  EXPECT_EQ(describe(*endpoint), "rediss://cache.example:7000/3");
}

TEST(RedisUrl, WhatIsLeftOutHasItsDefault) {
  for (const char* url : {"redis://localhost", "redis://localhost/", "redis://localhost:6379/0"}) {
    const auto endpoint = parse_url(url);
    ASSERT_TRUE(endpoint) << url;
    EXPECT_EQ(describe(*endpoint), "redis://localhost:6379/0");
    EXPECT_TRUE(endpoint->password.empty());
    EXPECT_EQ(endpoint->transport, Transport::plain);
  }
  const auto only_password = parse_url("redis://:geheim@[::1]:7000");
  ASSERT_TRUE(only_password);
  EXPECT_TRUE(only_password->user.empty());
  EXPECT_EQ(only_password->password.reveal(), "geheim");
  EXPECT_EQ(describe(*only_password), "redis://[::1]:7000/0");
}

TEST(RedisUrl, APasswordMayContainAnAt) {
  const auto endpoint = parse_url("redis://:a@b@host");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->password.reveal(), "a@b");
  EXPECT_EQ(endpoint->host, "host");
}

TEST(RedisUrl, AnythingElseIsRefused) {
  for (const char* url : {"",
                          "localhost:6379",
                          "http://localhost",
                          "redis:/localhost",
                          "redis://",
                          "redis://:6379",
                          "redis://host:0",
                          "redis://host:65536",
                          "redis://host:x",
                          "redis://host:",
                          "redis://host/x",
                          "redis://host/-1",
                          "redis://host/1/2",
                          "redis://[::1",
                          "redis://[::1]x",
                          "redis://ho st",
                          "redis://host\n",
                          "redis://user@host",
                          "redis://user:@host",
                          "redis://:%zz@host",
                          "redis://:%4@host",
                          "redis://host?ca=/x",
                          "rediss://host?ca=",
                          "rediss://host?insecure=1",
                          "rediss://host?ca=/x&ca=/y",
                          "redis://host/1?",
                          "REDIS://host"}) {
    const auto endpoint = parse_url(url);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::invalid);
    EXPECT_THAT(endpoint.error().detail, HasSubstr("Redis URL")) << url;
  }
}

TEST(RedisUrl, NoErrorRepeatsThePassword) {
  for (const char* url : {"redis://:geheim@host:x", "redis://geheim@host", "redis://:geheim%@host",
                          "redis://:geheim@", "redis://u:geheim@host/x"}) {
    const auto endpoint = parse_url(url);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_THAT(endpoint.error().detail, Not(HasSubstr("geheim")));
  }
}

}  // namespace
}  // namespace um::redis
