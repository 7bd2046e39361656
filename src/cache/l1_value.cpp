#include "cache/l1_value.hpp"

namespace um {
namespace {

// Heap memory of a text that is too long to be stored inside the std::string.
std::size_t text_cost(const std::string& text) {
  constexpr std::size_t kInside = 15;
  return text.capacity() > kInside ? heap_cost_bytes(text.capacity() + 1) : 0;
}

std::size_t text_cost(const std::optional<std::string>& text) {
  return text ? text_cost(*text) : 0;
}

// make_shared stores two counters and a vtable pointer in front of the object.
constexpr std::size_t kControlBlock = 16;

std::size_t cost(const UserRecord& record) {
  const User& user = record.user;
  return heap_cost_bytes(kControlBlock + sizeof(UserRecord)) + text_cost(user.email.text()) +
         text_cost(user.email.folded()) + text_cost(user.username) + text_cost(user.first_name) +
         text_cost(user.last_name) + text_cost(user.model_capability_settings) +
         text_cost(record.revision.digest) + text_cost(record.json) + text_cost(record.etag);
}

std::size_t cost(const Session& session) {
  return heap_cost_bytes(kControlBlock + sizeof(Session)) + text_cost(session.address) +
         text_cost(session.user_agent);
}

}  // namespace

std::size_t heap_cost_bytes(const L1Value& value) {
  if (const auto* user = std::get_if<UserRef>(&value)) return *user ? cost(**user) : 0;
  if (const auto* session = std::get_if<SessionRef>(&value)) return *session ? cost(**session) : 0;
  return 0;
}

}  // namespace um
