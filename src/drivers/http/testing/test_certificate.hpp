// For tests: a self-signed certificate for "localhost", made anew in a temporary directory.
#pragma once

#include <filesystem>

#include "drivers/http/tls.hpp"

namespace um::http::testing {

class TestCertificate {
 public:
  TestCertificate();
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  TlsFiles files() const { return {.certificate = path("certificate"), .key = path("key")}; }
  std::string path(const char* name) const { return (directory_ / name).string(); }

 private:
  std::filesystem::path directory_;
};

}  // namespace um::http::testing
