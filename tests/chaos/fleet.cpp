#include "chaos/fleet.hpp"

#include <iostream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "support/json.hpp"

namespace um::e2e {
namespace {

class SharedStorage final : public TestStorage {
 public:
  SharedStorage(test::TestDatabase& database, std::string url, std::vector<std::string> arguments)
      : database_{database}, url_{std::move(url)}, arguments_{std::move(arguments)} {}
  std::string database() const override { return url_; }
  std::vector<std::string> serve_arguments() const override { return arguments_; }
  void execute(const std::string& sql) override { database_.session().execute(sql); }

 private:
  test::TestDatabase& database_;
  std::string url_;
  std::vector<std::string> arguments_;
};

// The position and length of the port in the URL of a test database.
std::pair<std::size_t, std::size_t> port_in(const std::string& url) {
  const auto begin = url.rfind(':') + 1;
  return {begin, url.find('/', begin) - begin};
}

}  // namespace

void PrintTo(const FleetOptions& options, std::ostream* out) {
  *out << options.instances << " instances"
       << (options.redis == FleetOptions::Redis::yes ? " with Redis" : "");
}

Fleet::Fleet(FleetOptions options) {
  if (options.server == FleetOptions::Server::own) {
    postgres_ = std::make_unique<test::PostgresServer>(
        test::PostgresServer::Options{.settings = options.settings});
    database_ = std::make_unique<test::TestDatabase>(*postgres_);
  } else {
    database_ = std::make_unique<test::TestDatabase>();
  }
  if (!options.tablespace.empty()) {
    postgres_->psql("CREATE TABLESPACE elsewhere LOCATION '" + options.tablespace +
                    "';\nALTER DATABASE " + database_->name() + " SET TABLESPACE elsewhere");
  }
  std::vector<std::string> arguments{"--threads", "2"};
  if (options.redis == FleetOptions::Redis::yes) {
    redis_ = std::make_unique<RedisServer>();
    arguments.insert(arguments.end(), {"--redis", redis_->url()});
  }
  const auto direct = std::make_shared<SharedStorage>(*database_, database_->url(), arguments);
  auto first = direct;
  if (options.network == FleetOptions::Network::first_gated) {
    auto url = database_->url();
    const auto [begin, size] = port_in(url);
    gate_ = std::make_unique<test::TcpGate>(std::stoi(url.substr(begin, size)));
    url.replace(begin, size, std::to_string(gate_->port()));
    first = std::make_shared<SharedStorage>(*database_, url, arguments);
  }
  stage_ = std::make_unique<Stage>(ServeOptions{.arguments = options.arguments, .storage = first});
  while (size() < options.instances) {
    others_.push_back(std::make_unique<ServerUnderTest>(
        ServeOptions{.arguments = options.arguments, .storage = direct}));
  }
}

Fleet::~Fleet() = default;

HttpRequest Fleet::as(const std::string& who, const std::string& request, std::string body) const {
  const auto space = request.find(' ');
  return {.method = request.substr(0, space),
          .target = stage_->fill_in(request.substr(space + 1)),
          .headers = {bearer(stage_->token(who))},
          .body = std::move(body)};
}

std::string Fleet::output() {
  std::string all;
  for (std::size_t i = 0; i < size(); ++i) {
    all += "instance " + std::to_string(i) + ":\n" + instance(i).process().all() + "\n";
  }
  return all;
}

std::int64_t Fleet::cache_stat(std::size_t i, std::string_view pointer) {
  const auto answer = client(i).send(as("admin", "GET /cache/stats"));
  const auto text = text_at(answer.json(), pointer);
  if (text.empty()) throw std::runtime_error("no " + std::string{pointer} + ": " + answer.text());
  return std::stoll(text);
}

bool Fleet::warm_up(const HttpRequest& request) {
  for (std::size_t i = 0; i < size(); ++i) {
    auto asking = client(i);
    const bool warm = eventually([&] {
      const auto answer = asking.send(request);
      return answer.status == 200 && is_hit(answer);
    });
    if (!warm) return false;
  }
  return true;
}

std::chrono::milliseconds Fleet::time_to_heal(const std::string& who) {
  const auto begin = BootClock::now();
  for (std::size_t i = 0; i < size(); ++i) {
    auto asking = client(i);
    const auto body = R"({"last_name": "Healed )" + std::to_string(i) + R"("})";
    EXPECT_TRUE(eventually([&] {
      return asking.send(as("admin", "PATCH /user/<" + who + ">", body)).status == 200;
    })) << "no writes at instance "
        << i;
    EXPECT_TRUE(eventually([&] {
      return is_hit(asking.send(as("admin", "GET /user/<" + who + ">")));
    })) << "nothing from the memory of instance "
        << i;
    EXPECT_TRUE(eventually([&] { return asking.send({.target = "/readyz"}).status == 200; }));
  }
  return std::chrono::ceil<std::chrono::milliseconds>(BootClock::now() - begin);
}

bool is_hit(const HttpResponse& answer) {
  return answer.header("Cache-Status").value_or("").starts_with("user-manager; hit");
}

void note_figure(const std::string& name, std::chrono::nanoseconds figure) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(figure).count();
  ::testing::Test::RecordProperty(name, std::to_string(ms) + " ms");
  std::cout << "  " << name << ": " << ms << " ms\n";
}

}  // namespace um::e2e
