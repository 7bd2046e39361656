#include "drivers/redis/failure.hpp"

namespace um::redis {

std::string_view to_string(Breakage breakage) {
  switch (breakage) {
    case Breakage::none:
      return "none";
    case Breakage::resolve:
      return "resolve";
    case Breakage::connect:
      return "connect";
    case Breakage::tls:
      return "tls";
    case Breakage::timeout:
      return "timeout";
    case Breakage::closed:
      return "closed";
    case Breakage::protocol:
      return "protocol";
    case Breakage::refused:
      return "refused";
    case Breakage::not_ready:
      return "not_ready";
    case Breakage::cancelled:
      return "cancelled";
    case Breakage::stopped:
      return "stopped";
  }
  return "none";
}

}  // namespace um::redis
