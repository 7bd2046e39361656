#include "api/request_id.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace um::api {
namespace {

TEST(RequestId, OnlyShortPlainTextIsSane) {
  EXPECT_TRUE(RequestId::is_sane("a"));
  EXPECT_TRUE(RequestId::is_sane("0123-ABC_def.9"));
  EXPECT_TRUE(RequestId::is_sane(std::string(128, 'x')));
  for (const std::string& text :
       {std::string{}, std::string(129, 'x'), std::string{"a b"}, std::string{"a\r\nSet-Cookie: x"},
        std::string{"a, b"}, std::string{"\xC3\xA9"}, std::string{"a\0b", 3}, std::string{"<x>"}}) {
    EXPECT_FALSE(RequestId::is_sane(text)) << text;
  }
}

TEST(RequestId, NewIdsAreSaneAndDiffer) {
  RequestIds ids{42};
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const RequestId id = ids.next();
    EXPECT_TRUE(RequestId::is_sane(id.view()));
    EXPECT_TRUE(seen.emplace(id.view()).second);
  }
}

TEST(RequestId, ProcessesStartElsewhere) {
  EXPECT_NE(RequestIds{1}.next().view(), RequestIds{2}.next().view());
}

}  // namespace
}  // namespace um::api
