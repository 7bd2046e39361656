#include "monitor/user_calls.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/printable.hpp"
#include "base/random.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

using http_client::Answer;
using http_client::Call;
using http_client::Connection;

constexpr std::size_t kPasswordBytes = 24;
constexpr std::size_t kMostListed = 100'000;  // values in the JSON of a page of users
constexpr std::chrono::hours kLeftOverAge{1};
constexpr unsigned kOk = 200;
constexpr unsigned kCreated = 201;
constexpr unsigned kNotFound = 404;
constexpr unsigned kConflict = 409;
constexpr unsigned kUnavailable = 503;

std::vector<std::string> with(const Secret& token) {
  return {"Authorization: Bearer " + std::string{token.reveal()}};
}

std::optional<JsonValue> json_of(const Answer& answer, JsonLimits limits = {}) {
  auto value = read_json(answer.body, limits);
  if (!value) return std::nullopt;
  return *std::move(value);
}

std::string code_of(const Answer& answer) {
  const auto json = json_of(answer);
  const std::string* code = json ? json->find_string("code") : nullptr;
  return code == nullptr ? std::string{} : *code;
}

std::optional<FoundUser> user_of(const JsonValue& json) {
  const JsonValue* id = json.find("id");
  const JsonValue* version = json.find("version");
  const std::string* email = json.find_string("email");
  if (id == nullptr || version == nullptr || email == nullptr) return std::nullopt;
  if (!id->integer() || !version->integer()) return std::nullopt;
  return FoundUser{.id = *id->integer(), .version = *version->integer(), .email = *email};
}

std::string names_of(const Probe::Write& write) {
  return "probe " + std::to_string(write.number);
}

std::string creation_of(const Probe::Write& write, const std::string& email) {
  return JsonWriter{}
      .open_object()
      .member("email", email)
      .member("first_name", names_of(write))
      .member("last_name", "user-manager monitor")
      .member("password", random_hex(kPasswordBytes))  // never used, and kept nowhere
      .member("is_active", false)
      .close()
      .take();
}

// A 503 with one of these codes says that nothing was changed.
bool refuses_before_work(const std::string& code) {
  constexpr std::array<std::string_view, 4> kCodes{"overloaded", "unavailable", "not_ready",
                                                   "cancelled"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

}  // namespace

Call get_call(const std::string& server, const std::string& path, const Secret& token) {
  return {.url = server + path, .fields = with(token)};
}

Call primary_call(const std::string& server, const std::string& path, const Secret& token) {
  Call call = get_call(server, path, token);
  call.fields.emplace_back("Cache-Control: no-cache");
  return call;
}

Call write_call(const std::string& server, const Probe::Write& write, const std::string& email,
                const Secret& token) {
  using Kind = Probe::Write::Kind;
  Call call{.fields = with(token), .connection = Connection::own};
  const std::string path = "/user/" + std::to_string(write.id);
  switch (write.kind) {
    case Kind::create:
      call.method = "POST";
      call.url = server + "/user";
      call.body = creation_of(write, email);
      break;
    case Kind::change:
      call.method = "PATCH";
      call.url = server + path;
      call.body = JsonWriter{}.open_object().member("first_name", names_of(write)).close().take();
      break;
    case Kind::remove:
      call.method = "DELETE";
      call.url = server + path;
      break;
  }
  return call;
}

Call delete_call(const std::string& server, std::int64_t id, const Secret& token) {
  return {.method = "DELETE",
          .url = server + "/user/" + std::to_string(id),
          .fields = with(token),
          .connection = Connection::own};
}

Call sign_in_call(const std::string& server, const std::string& email, const Secret& password) {
  JsonWriter body;
  body.open_object().member("email", email).member("password", password.reveal()).close();
  return {.method = "POST",
          .url = server + "/auth/login",
          .body = body.take(),
          .connection = Connection::own};
}

Call sign_out_call(const std::string& server, const Secret& token) {
  return {.method = "POST",
          .url = server + "/auth/logout",
          .fields = with(token),
          .connection = Connection::own};
}

std::string failure_line(const Answer& answer) {
  if (answer.status == 0) return printable(answer.error, {.max_bytes = 200});
  std::string line = std::to_string(answer.status);
  if (const std::string code = code_of(answer); !code.empty())
    line += ' ' + printable(code, {.max_bytes = 100});
  return line;
}

ReadAnswer read_answer(const Answer& answer) {
  ReadAnswer read;
  const bool is_absent = answer.status == kNotFound && code_of(answer) == "user_not_found";
  if (answer.status != kOk && !is_absent) {
    read.error = failure_line(answer);
    return read;
  }
  if (answer.has_age) {
    read.kind = ReadAnswer::Kind::excused;
    return read;
  }
  if (!is_absent) {
    const auto json = json_of(answer);
    read.reading = json ? user_of(*json) : std::nullopt;
    if (!read.reading) {
      read.error = "the answer is not a user";
      return read;
    }
  }
  read.kind = ReadAnswer::Kind::state;
  return read;
}

WriteResult write_result(Probe::Write::Kind kind, const Answer& answer) {
  using Kind = Probe::Write::Kind;
  using Outcome = WriteResult::Outcome;
  if (answer.status == 0) return {answer.received ? Outcome::unknown : Outcome::not_done, {}};
  if (answer.status == kOk || answer.status == kCreated) {
    if (kind == Kind::remove) return {Outcome::done, {}};
    const auto json = json_of(answer);
    const JsonValue* user = json ? (kind == Kind::create ? &*json : json->find("user")) : nullptr;
    auto found = user != nullptr ? user_of(*user) : std::nullopt;
    if (!found) return {Outcome::unknown, {}};
    return {Outcome::done, *std::move(found)};
  }
  if (answer.status == kNotFound) return {Outcome::gone, {}};
  // The address of a probe is taken only by the probe itself: an earlier attempt has come through.
  if (answer.status == kConflict && kind == Kind::create) return {Outcome::unknown, {}};
  if (answer.status >= 400 && answer.status < 500) return {Outcome::not_done, {}};
  const bool refused = answer.status == kUnavailable && refuses_before_work(code_of(answer));
  return {refused ? Outcome::not_done : Outcome::unknown, {}};
}

std::optional<Secret> token_in(const Answer& answer) {
  const auto json = json_of(answer);
  const std::string* token = json ? json->find_string("token") : nullptr;
  if (answer.status != kOk || token == nullptr || token->empty()) return std::nullopt;
  return Secret{*token};
}

std::optional<std::vector<ListedUser>> users_in(const Answer& answer) {
  const auto json = json_of(answer, {.values = kMostListed});
  if (answer.status != kOk || !json || json->kind != JsonValue::Kind::array) return std::nullopt;
  std::vector<ListedUser> users;
  for (const JsonValue& item : json->items) {
    const auto user = user_of(item);
    const std::string* role = item.find_string("role");
    const std::string* updated = item.find_string("updated_at");
    const JsonValue* active = item.find("is_active");
    if (!user || role == nullptr || updated == nullptr || active == nullptr) return std::nullopt;
    users.push_back({.id = user->id,
                     .email = user->email,
                     .is_plain = *role == "user" && !active->boolean,
                     .updated_at = parse_time(*updated).value_or(WallTime::max())});
  }
  return users;
}

bool is_left_over(const ListedUser& user, WallTime now) {
  return is_probe_address(user.email) && user.is_plain && user.updated_at < now - kLeftOverAge;
}

std::optional<PromiseTerms> promise_in(const Answer& answer) {
  const auto json = json_of(answer);
  const JsonValue* promise = json && answer.status == kOk ? json->find("promise") : nullptr;
  if (promise == nullptr) return std::nullopt;
  const std::string* mode = promise->find_string("consistency");
  const JsonValue* bound = promise->find("staleness_bound_ms");
  if (mode == nullptr || bound == nullptr || !bound->integer()) return std::nullopt;
  return PromiseTerms{.strict = *mode == "strict",
                      .staleness_bound = std::chrono::milliseconds{*bound->integer()}};
}

}  // namespace um
