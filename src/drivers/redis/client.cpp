#include "drivers/redis/client.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "drivers/redis/link.hpp"

namespace um::redis {
namespace {

namespace asio = boost::asio;

// How long stop() waits for a loop that should run and does not.
constexpr std::chrono::seconds kStopPatience{2};

std::unexpected<Failure> stopped_failure() {
  return std::unexpected{
      Failure{.kind = Failure::Kind::unavailable, .message = "the client was stopped"}};
}

}  // namespace

Client::Client(ClientOptions options, const Clock& clock,
               const std::vector<asio::io_context*>& loops)
    : clock_{clock}, timeout_{options.timeout} {
  if (loops.empty()) throw std::logic_error{"a Redis client needs an event loop"};
  Result<TlsContext> tls = make_client_tls_context(options.endpoint);
  if (!tls) throw std::invalid_argument(tls.error().detail);
  const auto shared = std::make_shared<LinkOptions>(std::move(options), std::move(*tls));
  for (asio::io_context* loop : loops)
    links_.push_back(std::make_shared<Link>(*loop, shared, clock));
  for (const auto& link : links_) link->start();
}

Client::~Client() {
  stop();
}

std::shared_ptr<Link> Client::link_of(const asio::any_io_executor& executor) const {
  for (const auto& link : links_) {
    if (executor == link->loop().get_executor()) return link;
  }
  return nullptr;
}

std::shared_ptr<Link> Client::link_of_this_thread() const {
  for (const auto& link : links_) {
    if (link->loop().get_executor().running_in_this_thread()) return link;
  }
  return nullptr;
}

std::shared_ptr<Link> Client::any_link() {
  return links_[next_.fetch_add(1, std::memory_order_relaxed) % links_.size()];
}

Deadline Client::bounded(Deadline deadline) const {
  return {std::min(deadline.at, clock_.now() + timeout_)};
}

Task<Outcome<Reply>> Client::call(Command command, Deadline deadline) {
  if (stopped_) co_return stopped_failure();
  const Deadline until = bounded(deadline);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (const auto link = link_of(executor)) {
    Outcome<Reply> reply = co_await link->call(std::move(command), until);
    co_return reply;
  }
  const auto link = any_link();
  Outcome<Reply> reply = co_await asio::co_spawn(
      link->loop(), link->call(std::move(command), until), asio::use_awaitable);
  co_return reply;
}

Task<Outcome<Reply>> Client::eval(const Script& script, ScriptCall what, Deadline deadline) {
  const Deadline until = bounded(deadline);
  const std::string count = std::to_string(what.keys.size());
  std::vector<std::string_view> words{"EVALSHA", script.sha1(), count};
  words.insert(words.end(), what.keys.begin(), what.keys.end());
  words.insert(words.end(), what.arguments.begin(), what.arguments.end());
  Command by_name{std::span<const std::string_view>{words}};
  Outcome<Reply> reply = co_await call(std::move(by_name), until);
  const bool unknown = !reply && reply.error().kind == Failure::Kind::refused &&
                       reply.error().error == ErrorClass::no_script;
  if (!unknown) co_return reply;
  words[0] = "EVAL";
  words[1] = script.text();
  Command by_text{std::span<const std::string_view>{words}};
  reply = co_await call(std::move(by_text), until);
  co_return reply;
}

void Client::send(Command command) {
  if (stopped_) return;
  const auto here = link_of_this_thread();
  const auto link = here ? here : any_link();
  if (!link->reserve()) return;
  if (here) return link->send(std::move(command));
  asio::post(link->loop(),
             [link, command = std::move(command)]() mutable { link->send(std::move(command)); });
}

Stats Client::stats() const {
  Stats stats;
  for (const auto& link : links_) link->add_to(stats);
  return stats;
}

void Client::stop() {
  if (stopped_.exchange(true)) return;
  for (const auto& link : links_) asio::post(link->loop(), [link] { link->stop(); });
  for (const auto& link : links_) {
    if (!link->loop().get_executor().running_in_this_thread()) link->join(kStopPatience);
  }
}

}  // namespace um::redis
