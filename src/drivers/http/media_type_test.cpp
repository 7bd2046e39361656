#include "drivers/http/media_type.hpp"

#include <gtest/gtest.h>

namespace um::http {
namespace {

TEST(JsonContentType, IsAcceptedWithAtMostCharsetUtf8) {
  for (const char* type : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                           "application/json ; charset=UTF-8",
                           "application/json; charset=\"utf-8\"", "application/json;"}) {
    EXPECT_TRUE(is_json_content_type(type)) << type;
  }
}

TEST(JsonContentType, EverythingElseIsNot) {
  for (const char* type : {"", "text/json", "application/jsonp", "application/json-patch+json",
                           "application/problem+json", "application/json; charset=latin1",
                           "application/json; charset=utf-8; x=y", "application/json, text/plain",
                           "application/json charset=utf-8", "application/json; charset = utf-8"}) {
    EXPECT_FALSE(is_json_content_type(type)) << type;
  }
}

}  // namespace
}  // namespace um::http
