#include "chaos/fleet.hpp"

#include <algorithm>
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

// The URL of a test server, through a new gate in front of it.
struct Gated {
  std::unique_ptr<test::TcpGate> gate;
  std::string url;
};
Gated gated(std::string url) {
  const auto begin = url.rfind(':') + 1;
  const auto size = std::min(url.find('/', begin), url.size()) - begin;
  auto gate = std::make_unique<test::TcpGate>(std::stoi(url.substr(begin, size)));
  url.replace(begin, size, std::to_string(gate->port()));
  return {.gate = std::move(gate), .url = std::move(url)};
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
  if (options.redis == FleetOptions::Redis::yes) redis_ = std::make_unique<RedisServer>();
  stage_ = std::make_unique<Stage>(serve_options(0, options));
  while (size() < options.instances) {
    others_.push_back(std::make_unique<ServerUnderTest>(serve_options(size(), options)));
  }
}

Fleet::~Fleet() = default;

std::shared_ptr<TestStorage> Fleet::storage_of(std::size_t i, const FleetOptions& options) {
  using enum FleetOptions::Network;
  std::vector<std::string> arguments{"--threads", "2"};
  if (redis_) {
    auto url = redis_->url();
    if (options.network == all_gated) {
      if (!redis_gate_) redis_gate_ = gated(url).gate;
      url = "redis://127.0.0.1:" + std::to_string(redis_gate_->port());
    }
    arguments.insert(arguments.end(), {"--redis", url});
  }
  auto url = database_->url();
  if (options.network == all_gated || (options.network == first_gated && i == 0)) {
    auto [gate, through] = gated(url);
    gates_.push_back(std::move(gate));
    url = std::move(through);
  }
  return std::make_shared<SharedStorage>(*database_, std::move(url), std::move(arguments));
}

ServeOptions Fleet::serve_options(std::size_t i, const FleetOptions& options) {
  ServeOptions serve{
      .arguments = options.arguments, .port = options.port, .storage = storage_of(i, options)};
  if (i + 1 == options.instances) serve.environment = options.environment_of_last;
  return serve;
}

void Fleet::fail_over_to(std::unique_ptr<test::PostgresServer> promoted) {
  for (auto& gate : gates_) {
    gate->lead_to(promoted->port());
    gate->cut();
  }
  database_->moved_to(*promoted);
  postgres_ = std::move(promoted);
}

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
