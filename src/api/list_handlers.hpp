// Handlers of lists of users. Thread safety: any event loop; no state of its own.
#pragma once

#include "api/call.hpp"
#include "api/list_query.hpp"

namespace um::api {

class ListHandlers {
 public:
  explicit ListHandlers(Users& users) : users_{users} {}

  Task<Answer> list(Call& call) { return answer(call, {10, Keyword::ignored}); }
  Task<Answer> search(Call& call) { return answer(call, {20, Keyword::taken}); }

 private:
  Task<Answer> answer(Call& call, ListQueryRules rules);

  Users& users_;
};

}  // namespace um::api
