#include "api/user_answer.hpp"

#include <charconv>

namespace um::api {
namespace {

std::string_view status_of(Source source, const ReadOptions& options) {
  switch (source) {
    case Source::l1:
      return "Cache-Status: user-manager; hit; detail=L1\r\n";
    case Source::l2:
      return "Cache-Status: user-manager; hit; detail=L2\r\n";
    case Source::stale:
      return "Cache-Status: user-manager; hit; detail=STALE\r\n";
    case Source::primary:
      return options.from_primary ? "Cache-Status: user-manager; fwd=request\r\n"
                                  : "Cache-Status: user-manager; fwd=miss\r\n";
  }
  return "";
}

void append_etag(http::Response& response, const UserRecord& user) {
  response.add("ETag", user.etag);
  response.headers += kUserHeaders;
}

}  // namespace

void append_cache_status(std::string& headers, const UserReading& reading,
                         const ReadOptions& options) {
  headers += status_of(reading.source, options);
  if (!reading.age) return;
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, reading.age->count()).ptr;
  headers.append("Age: ").append(digits, end).append("\r\n");
}

Answer answer_user(Call& call, const UserReading& reading, const ReadOptions& options) {
  if (!reading.value) {
    Problem problem{.code = ProblemCode::user_not_found};
    append_cache_status(problem.headers, reading, options);
    return refuse(std::move(problem));
  }
  append_cache_status(call.response.headers, reading, options);
  if (if_none_match(call.request, reading.value->etag)) {
    call.response.status = 304;
    append_etag(call.response, *reading.value);
    return {};
  }
  answer_record(call, reading.value);
  return {};
}

void answer_record(Call& call, const UserRef& user) {
  append_etag(call.response, *user);
  call.response.headers += "Content-Type: application/json\r\n";
  call.response.shared_body = std::shared_ptr<const std::string>{user, &user->json};
}

}  // namespace um::api
