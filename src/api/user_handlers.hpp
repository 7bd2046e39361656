// Handlers about one user: reading, creating, changing, removing, usage.
// Thread safety: any event loop; no state of its own.
#pragma once

#include <optional>

#include "api/call.hpp"
#include "api/client_address.hpp"
#include "service/users.hpp"

namespace um::api {

class UserHandlers {
 public:
  // `proxies` outlives the handlers.
  UserHandlers(Users& users, const TrustedProxies& proxies) : users_{users}, proxies_{proxies} {}

  std::optional<Answer> get_by_id_now(Call& call);
  std::optional<Answer> get_by_email_now(Call& call);
  std::optional<Answer> get_me_now(Call& call);
  Task<Answer> get_by_id(Call& call);
  Task<Answer> get_by_email(Call& call);
  Task<Answer> get_me(Call& call);

  Task<Answer> create(Call& call);
  Task<Answer> replace(Call& call);
  Task<Answer> patch(Call& call);
  Task<Answer> remove(Call& call);
  Task<Answer> add_usage(Call& call);
  Task<Answer> drop_from_caches(Call& call);

 private:
  template <class Key>
  std::optional<Answer> get_now(Call& call, const Key& key);
  template <class Key>
  Task<Answer> get(Call& call, Key key);

  std::expected<Users::ChangeRequest, Problem> read_change(const Call& call) const;

  Users& users_;
  const TrustedProxies& proxies_;
};

}  // namespace um::api
