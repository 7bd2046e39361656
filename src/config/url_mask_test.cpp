#include "config/url_mask.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(UrlMask, PasswordsAreHiddenAndTheRestStays) {
  EXPECT_EQ(mask_url("postgresql://ann:secret@h1:5432,h2/db?target_session_attrs=primary"),
            "postgresql://ann:***@h1:5432,h2/db?target_session_attrs=primary");
  EXPECT_EQ(mask_url("rediss://:secret@h:6379/0"), "rediss://:***@h:6379/0");
  EXPECT_EQ(mask_url("redis://h:6379/0"), "redis://h:6379/0");
}

TEST(UrlMask, PasswordsWithUnescapedCharactersAreHiddenWhole) {
  for (const char* url : {"postgresql://ann:se@cret@h/db", "postgresql://ann:se/cret@h/db",
                          "postgresql://ann:se?cret@h/db", "postgresql://ann:se:cret@h/db",
                          "redis://secret@h", "postgresql://ann:se#cret@h/db"}) {
    const std::string masked = mask_url(url);
    EXPECT_EQ(masked.find("cret"), std::string::npos) << masked;
    EXPECT_EQ(masked.find("se@"), std::string::npos) << masked;
  }
}

TEST(UrlMask, PasswordParametersAreHidden) {
  EXPECT_EQ(mask_url("postgresql://h/db?password=secret&sslmode=require&sslpassword=more"),
            "postgresql://h/db?password=***&sslmode=require&sslpassword=***");
}

TEST(UrlMask, PasswordParametersAreHiddenHoweverTheRestIsWritten) {
  for (const char* url :
       {"postgresql://db.internal/users?user=um@corp&password=secret",
        "postgresql://um:pw@h/x?application_name=a@b&password=secret",
        "postgresql://h/db?p%61ssword=secret", "postgresql://h/db?PASSWORD=secret",
        "postgresql://h/db?password=se?cret", "postgresql://h/db?a?password=secret",
        "postgresql://h/db?password=se@secret", "postgresql://h?password=secret@h"}) {
    const std::string masked = mask_url(url);
    EXPECT_FALSE(masked.contains("cret")) << masked;
    EXPECT_FALSE(masked.contains("se@")) << masked;
    EXPECT_FALSE(masked.contains("pw@")) << masked;
  }
}

TEST(UrlMask, WhatIsNoUrlIsHiddenWhole) {
  EXPECT_EQ(mask_url("host=h password=secret"), "***");
  EXPECT_EQ(mask_url(""), "***");
  EXPECT_EQ(mask_url("?pass=a long word://h"), "?pass=a long word://h");
}

TEST(UrlMask, LineEndsDoNotPass) {
  EXPECT_EQ(mask_url("redis://h\nredis://forged"), "redis://h\\nredis://forged");
}

}  // namespace
}  // namespace um
