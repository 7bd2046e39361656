// What holds for every answer of the program, whatever was asked.
#pragma once

#include <string>
#include <vector>

#include "support/http_message.hpp"

namespace um::e2e {

// Every password of every test contains it, so that one that leaks is recognised anywhere.
inline constexpr std::string_view kPasswordMark = "Sesame";

// Sentences about what is wrong; empty if nothing is.
std::vector<std::string> violations(const HttpRequest& request, const HttpResponse& response);

// Reports each of them as a failure of the running test.
void expect_invariants(const HttpRequest& request, const HttpResponse& response);

}  // namespace um::e2e
