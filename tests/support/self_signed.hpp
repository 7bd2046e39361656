// A self-signed certificate for localhost and its key, made when asked for.
#pragma once

#include <string>

namespace um::e2e {

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;
};
SelfSigned make_self_signed();

}  // namespace um::e2e
