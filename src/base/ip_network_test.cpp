#include "base/ip_network.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

bool contains(std::string_view network, std::string_view address) {
  return IpNetwork::parse(network).value().contains(IpAddress::parse(address).value());
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

TEST(IpNetwork, ContainsWhatSharesItsPrefix) {
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
  EXPECT_TRUE(contains("192.168.128.0/17", "192.168.255.1"));
  EXPECT_FALSE(contains("192.168.128.0/17", "192.168.127.255"));
  EXPECT_TRUE(contains("::1", "0:0:0:0:0:0:0:1"));
  EXPECT_FALSE(contains("::1", "::2"));
}

TEST(IpNetwork, WhatIsNoNetworkIsRefused) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "::/129",
        "2001:db8::1/32", "localhost", "10.0.0.0/8/8", "host", "10.0.0/8", "10.0.0.0/+8",
        "fe80::%1/64", "10.0.0.0/0008", " 10.0.0.0/8"}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
}

TEST(IpNetwork, IsWrittenAsItWasGiven) {
  EXPECT_EQ(IpNetwork::parse("2001:db8:0::/32")->text(), "2001:db8:0::/32");
}

}  // namespace
}  // namespace um
