#include "api/json_text.hpp"

#include <gtest/gtest.h>

namespace um::api {
namespace {

TEST(JsonText, CommasStandBetweenMembersOnly) {
  std::string out = "{";
  append_json_key(out, "a");
  out += "1";
  append_json_key(out, "b");
  out += "{";
  append_json_key(out, "c");
  EXPECT_EQ(out, R"({"a":1,"b":{"c":)");
}

}  // namespace
}  // namespace um::api
