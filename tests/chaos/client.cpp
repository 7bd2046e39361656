#include "chaos/client.hpp"

#include <stdexcept>
#include <thread>

#include "support/invariants.hpp"
#include "support/json.hpp"

namespace um::e2e {
namespace {

using Kind = test::Operation::Kind;

}  // namespace

Board::Board(Fleet& fleet) : admin_token_{fleet.stage().token("admin")} {
  for (std::size_t i = 0; i < fleet.size(); ++i) lasting_.push_back("namer" + std::to_string(i));
  lasting_.emplace_back("outsider");
  auto names = lasting_;
  names.emplace_back("visitor");
  for (const auto& name : names) {
    for (const auto& field : {name, name + ".email"}) fields_[field] = fleet.stage().known(field);
  }
}

std::string Board::survivors() const {
  std::string ids = "0";
  for (const auto& name : lasting_) ids += ", " + id_of(name);
  return "SELECT string_agg(id || '=' || first_name, ' ') FROM public.users WHERE id IN (" + ids +
         ")";
}

std::map<std::string, std::int64_t> Board::survivors_in(const std::string& answer) const {
  std::map<std::string, std::int64_t> versions;
  for (const auto& name : lasting_) {
    const auto wanted = " " + id_of(name) + "=";
    const auto found = (" " + answer).find(wanted);
    if (found == std::string::npos) throw std::runtime_error(name + " is not in " + answer);
    versions[name] = std::stoll(answer.substr(found + wanted.size() - 1));
  }
  return versions;
}

void Board::renew_admin_token(HttpClient& client, const std::string& old) {
  if (admin_token() != old) return;
  try {
    write(admin_token_, sign_in(client, kAdminEmail));
  } catch (const std::exception&) {
    // The next refused request tries again.
  }
}

bool Client::Sent::is_unknown() const {
  return !answer || (is(503) && text_at(answer->json(), "/code") == "unknown_outcome");
}

Client::Client(Board& board, const ClientOptions& options)
    : board_{board}, instance_{options.instance}, random_{options.seed} {
  for (const auto& endpoint : options.instances) instances_.emplace_back(endpoint);
}

void Client::run(const std::stop_token& stop) {
  while (!stop.stop_requested() && trouble_.empty()) turn();
}

Client::Sent Client::send(std::size_t instance, HttpRequest request) {
  Sent sent{.begin = BootClock::now(), .instance = instance, .losses = board_.losses()};
  try {
    sent.answer = instances_[instance].send(request);
    expect_invariants(request, *sent.answer);
  } catch (const std::exception&) {
    pause(std::chrono::milliseconds{5});  // the instance is away
  }
  sent.end = BootClock::now();
  const bool is_read = request.method == "GET";
  if (sent.answer && sent.answer->status < 500) {
    if (sent.is(401)) return sent;  // of use only to those who ask whether a session has ended
    answers_.push_back(
        {.at = sent.end, .instance = instance, .kind = is_read ? Kind::read : Kind::write});
    if (!is_read) ++written_;
  } else if (sent.answer && !sent.is_busy()) {
    complain(request, sent);
  }
  return sent;
}

Client::Sent Client::send_as_admin(std::size_t instance, HttpRequest request) {
  const auto token = board_.admin_token();
  request.headers.push_back(bearer(token));
  auto sent = send(instance, std::move(request));
  if (sent.is(401)) board_.renew_admin_token(instances_[instance], token);
  return sent;
}

void Client::saw(const std::string& name, Kind kind, std::int64_t version, const Sent& sent) {
  seen_.push_back({.operation = {.kind = kind,
                                 .key = name,
                                 .begin = sent.begin,
                                 .end = sent.end,
                                 .version = version,
                                 .instance = sent.instance},
                   .hit = kind == Kind::read && is_hit(*sent.answer)});
}

void Client::tried(const std::string& name, std::int64_t version, const Sent& sent) {
  wrote(name, version, sent);
  seen_.back().operation.end = test::kNever;
}

void Client::complain(const HttpRequest& request, const Sent& sent) {
  // While the database is replaced, anything may be gone.
  if (sent.losses % 2 != 0 || sent.losses != board_.losses()) return;
  trouble_ = request.method + " " + request.target + " " + request.body + " --> " +
             (sent.answer ? sent.answer->text() : "nothing");
}

void Client::pause(std::chrono::microseconds time) {
  std::this_thread::sleep_for(time);
}

}  // namespace um::e2e
