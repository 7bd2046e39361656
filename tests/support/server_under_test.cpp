#include "support/server_under_test.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "support/json.hpp"

namespace um::e2e {

const std::string& program() {
  // UM_PROGRAM: another build of the program, for example one with sanitizers.
  const char* other = std::getenv("UM_PROGRAM");  // NOLINT(concurrency-mt-unsafe)
  static const std::string path = other != nullptr ? other : UM_BINARY;
  return path;
}

ServerUnderTest::ServerUnderTest(ServeOptions options)
    : options_{std::move(options)}, directory_{own_directory_.path().string()} {
  if (!options_.storage && options_.database.empty() && set_up() == SetUp::sqlite)
    options_.database = own_directory_.file("users.db");
  if (options_.storage) {
    storage_ = options_.storage;
  } else if (options_.database.empty()) {
    storage_ = make_test_storage(directory_);
  } else {
    storage_ = sqlite_test_storage(options_.database);
    directory_ = std::filesystem::path{options_.database}.parent_path().string();
  }
  start();
}

void ServerUnderTest::start() {
  Command command{.program = program(),
                  .arguments = {"serve", "--database", storage_->database()},
                  .environment = options_.environment,
                  .working_directory = own_directory_.path().string()};
  const auto further = storage_->serve_arguments();
  command.arguments.insert(command.arguments.end(), further.begin(), further.end());
  const auto& own = options_.arguments;
  if (std::ranges::find(own, "--listen") == own.end()) {
    const auto port = options_.port == ServeOptions::Port::same ? endpoint_.port : 0;
    command.arguments.insert(command.arguments.end(),
                             {"--listen", "127.0.0.1:" + std::to_string(port)});
  }
  if (std::ranges::find(own, "--password-cost") == own.end()) {
    command.arguments.insert(command.arguments.end(), {"--password-cost", "4"});
  }
  // A sync of a busy disk may take longer than the default limit of 2 s.
  if (std::ranges::find(own, "--database-timeout") == own.end()) {
    command.arguments.insert(command.arguments.end(), {"--database-timeout", "10s"});
  }
  command.arguments.insert(command.arguments.end(), own.begin(), own.end());
  process_ = std::make_unique<Process>(command);

  static const std::regex kAddress{R"((https?)://127\.0\.0\.1:([0-9]+))"};
  std::string line;
  const auto match = process_->wait_for_output(kAddress, line);
  if (!match) throw std::runtime_error("serve printed no address\n" + why_not());
  const Endpoint endpoint{.port = static_cast<std::uint16_t>(std::stoi((*match)[2].str())),
                          .tls = (*match)[1].str() == "https"};
  // Clients of other threads may be reading it.
  if (endpoint.port != endpoint_.port) endpoint_ = endpoint;
  if (endpoint_.tls != options_.tls) throw std::runtime_error("wrong scheme\n" + why_not());
  const bool ready = eventually([&] { return client().send({.target = "/readyz"}).status == 200; });
  if (!ready) throw std::runtime_error("serve does not get ready\n" + why_not());
}

HttpClient ServerUnderTest::client_from(std::string source) const {
  Endpoint endpoint = endpoint_;
  endpoint.source = std::move(source);
  return HttpClient{endpoint};
}

Exit ServerUnderTest::stop() {
  process_->send_signal(SIGTERM);
  const auto exit = process_->wait();
  if (!exit) throw std::runtime_error("serve does not end after SIGTERM\n" + why_not());
  return *exit;
}

void ServerUnderTest::kill() {
  process_->send_signal(SIGKILL);
  if (!process_->wait()) throw std::runtime_error("serve outlived SIGKILL");
}

RunResult ServerUnderTest::cli(std::vector<std::string> arguments, std::string input) const {
  arguments.insert(arguments.end(), {"--database", storage_->database()});
  return run({.program = program(),
              .arguments = std::move(arguments),
              .environment = {{"USER_MANAGER_PASSWORD_COST", "4"}},
              .input = std::move(input),
              .working_directory = own_directory_.path().string()});
}

std::string ServerUnderTest::why_not() const {
  return "stdout: " + process_->out() + "\nstderr: " + process_->err();
}

void create_admin(const ServerUnderTest& server, std::string_view email) {
  const auto made = server.cli(
      {"user", "create", "--email", std::string{email}, "--role", "admin", "--password-stdin"},
      std::string{kPassword} + "\n");
  if (made.code != 0) throw std::runtime_error("user create failed: " + made.err + made.out);
}

std::string sign_in(HttpClient& client, std::string_view email, std::string_view password) {
  boost::json::object body;
  body["email"] = boost::json::string_view{email.data(), email.size()};
  body["password"] = boost::json::string_view{password.data(), password.size()};
  const auto answer = client.send(
      {.method = "POST", .target = "/auth/login", .body = boost::json::serialize(body)});
  if (answer.status != 200) throw std::runtime_error("sign-in failed: " + answer.text());
  return text_at(answer.json(), "/token");
}

}  // namespace um::e2e
