// What a client says first on a new connection. Pure.
#pragma once

#include <string_view>

#include "drivers/redis/pipeline.hpp"
#include "drivers/redis/url.hpp"

namespace um::redis {

// AUTH and SELECT if the endpoint asks for them, CLIENT SETNAME (which some proxies do not know),
// and PING: it finds out what is no such server, and one that is still loading.
inline Greeting greeting_for(const Endpoint& endpoint, std::string_view client_name) {
  using Must = GreetingStep::Must;
  Greeting greeting;
  const std::string_view password = endpoint.password.reveal();
  if (!endpoint.user.empty()) {
    greeting.push_back({Command{"AUTH", endpoint.user.reveal(), password}, Must::succeed});
  } else if (!password.empty()) {
    greeting.push_back({Command{"AUTH", password}, Must::succeed});
  }
  if (endpoint.database != 0)
    greeting.push_back({Command{"SELECT", std::to_string(endpoint.database)}, Must::succeed});
  if (!client_name.empty())
    greeting.push_back({Command{"CLIENT", "SETNAME", client_name}, Must::be_answered});
  greeting.push_back({Command{"PING"}, Must::succeed});
  return greeting;
}

}  // namespace um::redis
