#include "ops/ip_network.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(IpNetwork, ContainsTheAddressesOfItsPrefixOnly) {
  const auto ten = IpNetwork::parse("10.0.0.0/8");
  ASSERT_TRUE(ten);
  EXPECT_TRUE(ten->contains("10.255.0.1"));
  EXPECT_FALSE(ten->contains("11.0.0.0"));
  EXPECT_FALSE(ten->contains("::1"));
  const auto odd = IpNetwork::parse("192.168.128.0/17");
  ASSERT_TRUE(odd);
  EXPECT_TRUE(odd->contains("192.168.255.1"));
  EXPECT_FALSE(odd->contains("192.168.127.255"));
}

TEST(IpNetwork, AnAddressAloneIsANetworkOfOne) {
  const auto one = IpNetwork::parse("::1");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->contains("::1"));
  EXPECT_TRUE(one->contains("0:0:0:0:0:0:0:1"));
  EXPECT_FALSE(one->contains("::2"));
}

TEST(IpNetwork, MappedAddressesMatchTheirIpv4Network) {
  EXPECT_TRUE(IpNetwork::parse("10.0.0.0/8")->contains("::ffff:10.1.2.3"));
}

TEST(IpNetwork, EverythingIsInTheNetworkWithoutAPrefix) {
  EXPECT_TRUE(IpNetwork::parse("0.0.0.0/0")->contains("203.0.113.9"));
  EXPECT_FALSE(IpNetwork::parse("0.0.0.0/0")->contains("2001:db8::1"));
  EXPECT_TRUE(IpNetwork::parse("::/0")->contains("2001:db8::1"));
}

TEST(IpNetwork, WhatIsNoNetworkIsRefused) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129",
                           "host", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/+8",
                           "fe80::%1/64", "10.0.0.0/0008", " 10.0.0.0/8"}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
}

TEST(IpNetwork, ContainsNothingThatIsNoAddress) {
  EXPECT_FALSE(IpNetwork::parse("::/0")->contains("unknown"));
  EXPECT_FALSE(IpNetwork::parse("::/0")->contains(""));
}

}  // namespace
}  // namespace um
