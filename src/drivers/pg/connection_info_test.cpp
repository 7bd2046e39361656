#include "drivers/pg/connection_info.hpp"

#include <gtest/gtest.h>

namespace um::pg {
namespace {

Result<ConnectionInfo> parse(const std::string& url) {
  return ConnectionInfo::parse(Secret{url});
}

std::string value_of(const ConnectionInfo::Keywords& keywords, std::string_view name) {
  for (std::size_t i = 0; keywords.names[i] != nullptr; ++i) {
    if (keywords.names[i] == name) return keywords.values[i];
  }
  return "(none)";
}

TEST(ConnectionInfo, TakesAUrlApart) {
  const auto info = parse("postgresql://u:p%40ss@db.example:5433/name?sslmode=require");
  ASSERT_TRUE(info);
  ASSERT_EQ(info->hosts().size(), 1U);
  EXPECT_EQ(info->hosts()[0].name, "db.example");
  EXPECT_EQ(info->hosts()[0].port, "5433");
  EXPECT_FALSE(info->hosts()[0].is_socket());
  const auto keywords = info->keywords(info->hosts()[0], "10.0.0.1");
  EXPECT_EQ(value_of(keywords, "host"), "db.example");
  EXPECT_EQ(value_of(keywords, "hostaddr"), "10.0.0.1");
  EXPECT_EQ(value_of(keywords, "password"), "p@ss");
  EXPECT_EQ(value_of(keywords, "sslmode"), "require");
  EXPECT_EQ(keywords.names.back(), nullptr);
  EXPECT_EQ(keywords.names.size(), keywords.values.size());
}

TEST(ConnectionInfo, HostsAndPortsAreInPairs) {
  const auto info = parse("postgresql://a:1,b:2,[::1]:3/x");
  ASSERT_TRUE(info);
  ASSERT_EQ(info->hosts().size(), 3U);
  EXPECT_EQ(info->hosts()[1].name, "b");
  EXPECT_EQ(info->hosts()[1].port, "2");
  EXPECT_EQ(info->hosts()[2].name, "::1");
  const auto one_port = parse("host=a,b port=7");
  ASSERT_TRUE(one_port);
  EXPECT_EQ(one_port->hosts()[1].port, "7");
  EXPECT_FALSE(parse("host=a,b,c port=7,8"));
  EXPECT_FALSE(parse("host=a,b hostaddr=127.0.0.1"));
}

TEST(ConnectionInfo, SocketsKeepWorking) {
  const auto url = parse("postgresql://u@%2Fvar%2Frun%2Fpg/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->hosts()[0].name, "/var/run/pg");
  EXPECT_TRUE(url->hosts()[0].is_socket());
  EXPECT_TRUE(parse("dbname=x")->hosts()[0].is_socket());
  EXPECT_FALSE(parse("hostaddr=127.0.0.1")->hosts()[0].is_socket());
}

TEST(ConnectionInfo, AUrlThatCannotBeReadIsNotQuoted) {
  for (const char* url :
       {"postgresql://u:sesame/open@h/x", "postgresql://u:sesame@h:sesame/x",
        "postgresql://u:sesame@h/x?sesame=1", "sesame", "postgresql://u:%zzsesame@h/x",
        "host=h port=99999999999 password=sesame", "host=h port=-1"}) {
    const auto info = parse(url);
    ASSERT_FALSE(info) << url;
    EXPECT_EQ(info.error().code, ErrorCode::invalid);
    EXPECT_EQ(info.error().detail.find("sesame"), std::string::npos);
  }
}

TEST(ConnectionInfo, ChoicesThatAreNotPossibleAreNamedBeforeAnybodyConnects) {
  for (const char* url :
       {"postgresql://h/x?target_session_attrs=bogus", "postgresql://h/x?target_session_attrs=any",
        "postgresql://h/x?target_session_attrs=prefer-standby", "postgresql://h/x?sslmode=maybe",
        "postgresql://h:65536/x"}) {
    const auto info = parse(url);
    ASSERT_FALSE(info) << url;
    EXPECT_EQ(info.error().code, ErrorCode::invalid);
  }
  EXPECT_TRUE(parse("postgresql://h/x?target_session_attrs=read-write&sslmode=verify-full"));
}

TEST(ConnectionInfo, DefaultsGiveWayToTheUrl) {
  auto info = parse("host=h application_name=mine connect_timeout=7");
  ASSERT_TRUE(info);
  info->set_default("application_name", "other");
  info->set_default("keepalives_idle", "10");
  const auto keywords = info->keywords(info->hosts()[0], nullptr);
  EXPECT_EQ(value_of(keywords, "application_name"), "mine");
  EXPECT_EQ(value_of(keywords, "keepalives_idle"), "10");
  EXPECT_EQ(info->connect_timeout(), std::chrono::seconds{7});
  EXPECT_EQ(parse("host=h connect_timeout=0")->connect_timeout(), std::nullopt);
}

TEST(ConnectionInfo, KnowsWhichServersAreWanted) {
  EXPECT_TRUE(parse("host=h target_session_attrs=read-write")->wants_writes());
  EXPECT_FALSE(parse("host=h target_session_attrs=primary")->wants_writes());
  auto info = parse("host=h");
  EXPECT_FALSE(info->wants_writes());
  info->set_defaults_of("test");
  EXPECT_EQ(value_of(info->keywords(info->hosts()[0], nullptr), "target_session_attrs"), "primary");
}

TEST(ConnectionInfo, ADeadNetworkEndsAConnectionWithinSecondsUnlessTheUrlSaysOtherwise) {
  auto info = parse("host=h keepalives_idle=60");
  ASSERT_TRUE(info);
  info->set_defaults_of("test");
  const auto keywords = info->keywords(info->hosts()[0], nullptr);
  EXPECT_EQ(value_of(keywords, "tcp_user_timeout"), "3000");
  EXPECT_EQ(value_of(keywords, "keepalives_idle"), "60");
  EXPECT_EQ(value_of(keywords, "keepalives_interval"), "1");
  EXPECT_EQ(value_of(keywords, "keepalives_count"), "3");
}

TEST(ConnectionInfo, MessagesLoseThePasswordAndTheirLines) {
  const auto info = parse("postgresql://u:sesame@h/x");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->scrubbed("wrong sesame\n\tand sesame again\n"), "wrong ***  and *** again");
}

}  // namespace
}  // namespace um::pg
