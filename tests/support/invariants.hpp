// Invariants: rules for every response of the program.
#pragma once

#include <string>
#include <vector>

#include "support/http_message.hpp"

namespace um::e2e {

// Part of every password in the tests, so that a leaked password is found in any text.
inline constexpr std::string_view kPasswordMark = "Sesame";

// One sentence for each broken rule; empty if there is none.
std::vector<std::string> violations(const HttpRequest& request, const HttpResponse& response);

// Reports each violation as a failure of the running test.
void expect_invariants(const HttpRequest& request, const HttpResponse& response);

}  // namespace um::e2e
