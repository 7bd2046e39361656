#include "api/client_address.hpp"

#include <gtest/gtest.h>

namespace um::api {
namespace {

std::string client(std::string_view peer, std::string_view forwarded) {
  const TrustedProxies proxies{
      {*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("2001:db8::/32")}};
  return proxies.client_address({peer, forwarded});
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
