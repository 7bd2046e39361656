#include "chaos/clients.hpp"

#include <algorithm>
#include <sstream>

#include "support/json.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

// Between two requests: the machine has few cores, and other tests use it as well.
constexpr auto kReadPause = 1ms;
constexpr auto kWritePause = 2ms;
// Long enough for every reader to ask about a state.
constexpr auto kStatePause = 15ms;

std::string name_body(std::int64_t version) {
  return R"({"first_name": ")" + std::to_string(version) + R"("})";
}
std::int64_t version_in(const HttpResponse& answer) {
  return std::stoll(text_at(answer.json(), "/first_name"));
}
std::string with_number(const std::string& text, std::uint64_t number) {
  return text + std::to_string(number);
}

// Increments the first name of its user.
class Namer final : public Client {
 public:
  Namer(Board& board, const ClientOptions& options, std::int64_t version)
      : Client{board, options}, user_{with_number("namer", options.instance)}, version_{version} {}

 private:
  void turn() override {
    const HttpRequest patch{.method = "PATCH",
                            .target = "/user/" + board().id_of(user_),
                            .body = name_body(++version_)};
    const auto sent = send_as_admin(instance(), patch);
    if (sent.is_unknown()) {
      tried(user_, version_, sent);
    } else if (sent.is(200)) {
      wrote(user_, version_, sent);
    } else if (!sent.is_busy() && !sent.is(401) && !sent.is(409)) {
      complain(patch, sent);
    }
    pause(kWritePause);
  }

  const std::string user_;
  std::int64_t version_;
};

// Makes a user, deletes it, and makes another with the same address, at any instance. After an
// unknown outcome it takes another address, because the write may happen at any later time.
class Reviver final : public Client {
 public:
  Reviver(Board& board, const ClientOptions& options) : Client{board, options} {
    series_ = with_number("revived", options.seed) + "x";
    begin_register();
  }

 private:
  void begin_register() {
    losses_ = board().losses();
    const auto name = with_number(series_, ++registers_);
    now_ = {.address_register = name,
            .email = name + "@example.test",
            .begun = now_.begun + 2 - now_.begun % 2};
    now_.acknowledged = now_.begun;
    const auto moment = BootClock::now();
    wrote(name, now_.begun, Sent{.begin = moment, .end = moment});  // nobody has had this address
    board().show(now_);
  }

  void turn() override {
    if (board().losses() != losses_) begin_register();
    const bool creates = now_.begun % 2 == 0;
    ++now_.begun;
    if (creates) {
      now_.id.clear();
      board().show(now_);
      create();
    } else {
      board().show(now_);
      remove();
    }
    pause(kStatePause);
  }

  void create() {
    const HttpRequest post{.method = "POST",
                           .target = "/user/",
                           .body = R"({"email": ")" + now_.email + R"(", "first_name": ")" +
                                   std::to_string(now_.begun) +
                                   R"(", "password": "open-Sesame-1"})"};
    const auto sent = send_as_admin(any_instance(), post);
    if (sent.is(201)) {
      now_.id = text_at(sent.answer->json(), "/id");
      now_.id_register = now_.address_register + " as " + now_.id;
      now_.made = now_.begun;
      wrote(now_.id_register, now_.begun, sent);
    }
    settle(post, sent, 201);
  }

  void remove() {
    const HttpRequest request{.method = "DELETE", .target = "/user/" + now_.id};
    const auto sent = send_as_admin(any_instance(), request);
    if (sent.is_unknown()) tried(now_.id_register, now_.begun, sent);
    if (sent.is(200)) wrote(now_.id_register, now_.begun, sent);
    settle(request, sent, 200);
  }

  void settle(const HttpRequest& request, const Sent& sent, unsigned good) {
    if (sent.is(good)) {
      wrote(now_.address_register, now_.begun, sent);
      now_.acknowledged = now_.begun;
      board().show(now_);
    } else if (sent.is_unknown()) {
      tried(now_.address_register, now_.begun, sent);
      begin_register();
    } else {
      if (!sent.is_busy() && !sent.is(401) && !sent.is(409)) complain(request, sent);
      --now_.begun;  // it has not happened
      board().show(now_);
    }
  }

  std::string series_;
  std::uint64_t registers_ = 0;
  int losses_ = 0;
  Board::Revived now_{};
};

// Signs in and out. Version 1 of its register: the token is valid; version 2: it was ended.
class Visitor final : public Client {
 public:
  Visitor(Board& board, const ClientOptions& options)
      : Client{board, options}, series_{with_number("visit", options.seed) + "x"} {}

 private:
  void turn() override {
    const auto losses = board().losses();
    const auto visit = come();
    if (!visit) return pause(kStatePause);
    board().show(*visit);
    pause(kStatePause);
    while (board().losses() == losses && !leave(*visit)) pause(kWritePause);
    pause(kStatePause);
    board().show(Board::Visit{});
  }

  std::optional<Board::Visit> come() {
    const HttpRequest post{.method = "POST",
                           .target = "/auth/login",
                           .body = R"({"email": ")" + board().email_of("visitor") +
                                   R"(", "password": "open-Sesame-1"})"};
    const auto sent = send(any_instance(), post);
    if (!sent.is(200)) {
      if (sent.answer && !sent.is_busy()) complain(post, sent);
      return std::nullopt;
    }
    Board::Visit visit{.name = with_number(series_, ++visits_),
                       .token = text_at(sent.answer->json(), "/token")};
    wrote(visit.name, 1, sent);
    return visit;
  }

  // False: it has not happened, and is to be tried again.
  bool leave(const Board::Visit& visit) {
    const HttpRequest post{
        .method = "POST", .target = "/auth/logout", .headers = {bearer(visit.token)}};
    const auto sent = send(any_instance(), post);
    if (sent.is_unknown()) {
      tried(visit.name, 2, sent);
    } else if (sent.is(200)) {
      wrote(visit.name, 2, sent);
    } else if (sent.is(401)) {
      read(visit.name, 2, sent);
    } else if (sent.is_busy()) {
      return false;
    } else {
      complain(post, sent);
    }
    return true;
  }

  const std::string series_;
  std::uint64_t visits_ = 0;
};

// Reads the registers of all others at one instance, half of the time the same one as every other
// reader, so that requests for one key meet.
class Reader final : public Client {
 public:
  using Client::Client;

 private:
  void turn() override {
    const auto& users = board().lasting();
    switch (random(8)) {
      case 0:
        ask_for_address();
        break;
      case 1:
        ask_for_id();
        break;
      case 2:
        ask_for_session();
        break;
      case 3:
        ask_for_name(users.back());
        break;
      case 4:
        [[fallthrough]];
      case 5:
        ask_for_name(users[random(users.size())]);
        break;
      default:
        ask_for_name(users[fashion() % users.size()]);
    }
    pause(kReadPause);
  }

  static std::size_t fashion() {
    constexpr auto kLasts = 20ms;
    return static_cast<std::size_t>(BootClock::now().time_since_epoch() / kLasts);
  }

  void ask_for_name(const std::string& user) {
    const auto target = random(2) == 0 ? "/user/" + board().id_of(user)
                                       : "/users/by-email/" + board().email_of(user);
    const HttpRequest get{.target = target};
    const auto sent = send_as_admin(instance(), get);
    if (sent.is(200)) {
      read(user, version_in(*sent.answer), sent);
    } else if (sent.answer && !sent.is_busy() && !sent.is(401)) {
      complain(get, sent);
    }
  }

  void ask_for_address() {
    const auto before = board().revived();
    const HttpRequest get{.target = "/users/by-email/" + before.email};
    const auto sent = send_as_admin(instance(), get);
    const auto after = board().revived();
    if (sent.is(200)) {
      read(before.address_register, version_in(*sent.answer), sent);
    } else if (sent.is(404) && after.address_register == before.address_register) {
      // 404 does not say which absence it is. It counts if only one is possible.
      const auto oldest = before.acknowledged - before.acknowledged % 2;
      const auto newest = after.begun - after.begun % 2;
      const bool was_there = before.acknowledged % 2 != 0;
      if (newest <= oldest) read(before.address_register, oldest, sent);
      if (was_there && newest == oldest + 2) read(before.address_register, newest, sent);
    }
  }

  void ask_for_id() {
    const auto revived = board().revived();
    if (revived.id.empty()) return;
    const HttpRequest get{.target = "/user/" + revived.id};
    const auto sent = send_as_admin(instance(), get);
    if (sent.is(200)) read(revived.id_register, version_in(*sent.answer), sent);
    if (sent.is(404)) read(revived.id_register, revived.made + 1, sent);
  }

  void ask_for_session() {
    const auto visit = board().visit();
    if (visit.name.empty()) return;
    const auto sent = send({.target = "/auth/me", .headers = {bearer(visit.token)}});
    if (sent.is(200)) read(visit.name, 1, sent);
    if (sent.is(401)) read(visit.name, 2, sent);
  }
};

}  // namespace

void Clients::make_users(Fleet& fleet) {
  for (std::size_t i = 0; i < fleet.size(); ++i)
    fleet.stage().add(Person{.name = with_number("namer", i), .first_name = "0"});
  fleet.stage().add(Person{.name = "outsider", .first_name = "0"});
  fleet.stage().add("visitor");
}

Clients::Clients(Fleet& fleet, std::uint64_t seed) : fleet_{fleet}, board_{fleet} {
  const auto versions = survivors_in(fleet.database().session().text(survivors()));
  evidence_ = Evidence{versions};
  outside_version_ = versions.at("outsider");
  ClientOptions options{.seed = seed};
  for (std::size_t i = 0; i < fleet.size(); ++i)
    options.instances.push_back(fleet.instance(i).endpoint());
  const auto add = [&]<class Role>(std::size_t instance, auto... more) {
    options.instance = instance;
    ++options.seed;
    clients_.push_back(std::make_unique<Role>(board_, options, more...));
  };
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    add.operator()<Namer>(i, versions.at(with_number("namer", i)));
    add.operator()<Reader>(i);
    add.operator()<Reader>(i);
  }
  add.operator()<Reviver>(0);
  add.operator()<Visitor>(0);
  for (auto& client : clients_)
    threads_.emplace_back([&client = *client](const std::stop_token& stop) { client.run(stop); });
}

Clients::~Clients() {
  stop();
}

bool Clients::wait_for_writes(std::uint64_t more) {
  return std::ranges::all_of(clients_, [&](const auto& client) {
    if (dynamic_cast<const Namer*>(client.get()) == nullptr) return true;
    const auto wanted = client->written() + more;
    return eventually(
        [&] {
          std::this_thread::sleep_for(1ms);
          return client->written() >= wanted;
        },
        3 * kPatience);  // no fault keeps writes away for long, but a busy machine does
  });
}

void Clients::change_outsider(const std::function<void(std::int64_t version)>& change) {
  test::Operation operation{.kind = test::Operation::Kind::write,
                            .key = "outsider",
                            .begin = BootClock::now(),
                            .version = ++outside_version_,
                            .promise = test::Promise::bounded};
  change(outside_version_);
  operation.end = BootClock::now();
  evidence_.add(Seen{.operation = operation});
}

BootTime Clients::losing() {
  const auto now = BootClock::now();
  board_.next_loss();
  return now;
}

void Clients::lost(Loss loss) {
  outside_version_ = std::max(outside_version_, loss.survived.at("outsider"));
  evidence_.add(std::move(loss));
  board_.next_loss();
}

void Clients::end_sessions(const std::function<void()>& end) {
  Span when{.from = losing()};
  end();
  when.to = BootClock::now();
  board_.next_loss();
  evidence_.disregard_passing(when);
}

Evidence Clients::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  for (auto& client : clients_) {
    for (auto& seen : client->seen()) evidence_.add(std::move(seen));
    for (const auto& answer : client->answers()) evidence_.add(answer);
    if (!client->trouble().empty()) trouble_.push_back(client->trouble());
  }
  clients_.clear();
  return std::move(evidence_);
}

}  // namespace um::e2e
