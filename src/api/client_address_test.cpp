#include "api/client_address.hpp"

#include <gtest/gtest.h>

namespace um::api {
namespace {

Network network(std::string_view text) {
  const auto parsed = Network::parse(text);
  if (!parsed) throw std::invalid_argument{std::string{text}};
  return *parsed;
}
bool contains(std::string_view net, std::string_view address) {
  return network(net).contains(*IpAddress::parse(address));
}
std::string client(std::string_view peer, std::string_view forwarded) {
  const TrustedProxies proxies{{network("10.0.0.0/8"), network("2001:db8::/32")}};
  return proxies.client_address({peer, forwarded});
}

TEST(IpAddress, BothFamiliesAreReadAndWritten) {
  for (const std::string text : {"127.0.0.1", "255.255.255.255", "::1", "2001:db8::1"}) {
    EXPECT_EQ(IpAddress::parse(text)->text(), text);
  }
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1")->text(), "192.0.2.1");
}

TEST(IpAddress, WhatIsNoAddressIsRefused) {
  for (const std::string_view text :
       {"", "1", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "[::1]", ":::", "fe80::1%eth0",
        "unknown", "1.2.3.4:80", "2001:db8:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view{"1.2.3.4\0", 8}));
  EXPECT_FALSE(IpAddress::parse(std::string_view{"::1\0x", 5}));
}

TEST(Network, ContainsWhatSharesItsPrefix) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "8.8.8.8"));
  EXPECT_TRUE(contains("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(contains("2001:db8::/32", "2001:db9::1"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
}

TEST(Network, WhatIsNoNetworkIsRefused) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "::/129",
        "2001:db8::1/32", "localhost", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(ClientAddress, WithoutATrustedPeerTheFieldIsIgnored) {
  EXPECT_EQ(client("192.0.2.7", "203.0.113.9"), "192.0.2.7");
  EXPECT_EQ(client("2001:db9::1", "203.0.113.9"), "2001:db9::1");
}

TEST(ClientAddress, TheRightmostUntrustedAddressIsTheClient) {
  EXPECT_EQ(client("10.0.0.1", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.1", "1.1.1.1, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2,2001:db8::7"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.1", "[2001:db9::9]:4711"), "2001:db9::9");
}

TEST(ClientAddress, WithTrustedAddressesOnlyTheFirstOneIsTheClient) {
  EXPECT_EQ(client("10.0.0.1", "10.0.0.9, 10.0.0.2"), "10.0.0.9");
  EXPECT_EQ(client("10.0.0.1", ""), "10.0.0.1");
}

TEST(ClientAddress, WhatCannotBeReadEndsTheWalk) {
  EXPECT_EQ(client("10.0.0.1", "203.0.113.9, unknown"), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2");
  EXPECT_EQ(client("10.0.0.1", "203.0.113.9,"), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", "[2001:db9::9"), "10.0.0.1");
}

}  // namespace
}  // namespace um::api
