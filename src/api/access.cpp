#include "api/access.hpp"

#include "drivers/http/characters.hpp"

namespace um::api {

std::string_view to_string(Access access) {
  switch (access) {
    case Access::anyone:
      return "anyone";
    case Access::anyone_known:
      return "anyone; a token that is sent must be valid";
    case Access::registrant:
      return "anyone but services; a token that is sent must be valid";
    case Access::signed_in:
      return "every signed-in caller";
    case Access::self_or_admin:
      return "the user, administrators";
    case Access::self_or_reader:
      return "the user, administrators, services";
    case Access::reader:
    case Access::admin_or_service:
      return "administrators, services";
    case Access::admin:
      return "administrators";
  }
  return "";
}

TokenUse token_use(Access access, ReadAccess reading) {
  switch (access) {
    case Access::anyone:
      return TokenUse::ignored;
    case Access::anyone_known:
    case Access::registrant:
      return TokenUse::optional;
    case Access::self_or_reader:
    case Access::reader:
      // A token that is sent must be valid, so that a client notices an expired one before its
      // first change.
      return reading == ReadAccess::public_ ? TokenUse::optional : TokenUse::required;
    case Access::signed_in:
    case Access::self_or_admin:
    case Access::admin_or_service:
    case Access::admin:
      return TokenUse::required;
  }
  return TokenUse::required;
}

bool allows(Access access, ReadAccess reading, const Caller& caller, Self self) {
  const bool is_admin = caller && caller->is_admin();
  const bool is_reader = is_admin || (caller && caller->is_service());
  const bool is_self = caller && self == Self::yes;
  switch (access) {
    case Access::anyone:
    case Access::anyone_known:
      return true;
    case Access::registrant:
      return !caller || !caller->is_service();
    case Access::signed_in:
      return caller.has_value();
    case Access::self_or_admin:
      return (is_self && !caller->is_service()) || is_admin;
    case Access::self_or_reader:
      return reading == ReadAccess::public_ || is_self || is_reader;
    case Access::reader:
      return reading == ReadAccess::public_ || is_reader;
    case Access::admin_or_service:
      return is_reader;
    case Access::admin:
      return is_admin;
  }
  return false;
}

std::string_view token_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer";
  const std::string_view text = http::trim(authorization);
  if (!http::equal_without_case(text.substr(0, kScheme.size()), kScheme)) return text;
  const std::string_view rest = text.substr(kScheme.size());
  if (rest.empty()) return {};
  if (rest.front() != ' ' && rest.front() != '\t') return text;
  return http::trim(rest);
}

}  // namespace um::api
