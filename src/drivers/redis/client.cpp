#include "drivers/redis/client.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "drivers/redis/link.hpp"
#include "drivers/redis/stream.hpp"

namespace um::redis {
namespace {

namespace asio = boost::asio;

std::shared_ptr<const LinkOptions> link_options(ClientOptions options) {
  Result<TlsContext> tls = make_tls_context(options.endpoint);
  if (!tls) throw std::invalid_argument(tls.error().detail);
  auto outages = std::make_shared<Outages>(std::move(options.log), options.endpoint.password);
  return std::make_shared<const LinkOptions>(
      LinkOptions{.endpoint = std::move(options.endpoint),
                  .tls = std::move(*tls),
                  .client_name = std::move(options.client_name),
                  .timeout = options.timeout,
                  .connect_timeout = options.connect_timeout,
                  .limits = options.limits,
                  .breaker = options.breaker,
                  .background = options.background,
                  .outages = std::move(outages)});
}

std::unexpected<Failure> stopped_failure() {
  return std::unexpected{
      Failure{.kind = Failure::Kind::unavailable, .message = "the client was stopped"}};
}

}  // namespace

struct Client::OwnLoop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread{[this] { context.run(); }};

  // Returns when the last coroutine has ended.
  void finish() {
    work.reset();
    if (thread.joinable()) thread.join();
  }
  ~OwnLoop() { finish(); }
};

class Client::Links {
 public:
  Links(const std::vector<asio::io_context*>& loops, std::shared_ptr<const LinkOptions> options,
        const Clock& clock) {
    for (asio::io_context* loop : loops)
      links_.push_back(std::make_shared<Link>(*loop, options, clock));
    for (const auto& link : links_) asio::co_spawn(link->loop(), link->run(), asio::detached);
  }

  const std::vector<std::shared_ptr<Link>>& all() const { return links_; }
  std::shared_ptr<Link> of(const asio::any_io_executor& executor) const {
    for (const auto& link : links_) {
      if (executor == link->loop().get_executor()) return link;
    }
    return nullptr;
  }
  std::shared_ptr<Link> of_this_thread() const {
    for (const auto& link : links_) {
      if (link->loop().get_executor().running_in_this_thread()) return link;
    }
    return nullptr;
  }
  std::shared_ptr<Link> any() {
    return links_[next_.fetch_add(1, std::memory_order_relaxed) % links_.size()];
  }

 private:
  std::vector<std::shared_ptr<Link>> links_;
  std::atomic<std::size_t> next_{0};
};

Client::Client(ClientOptions options, const Clock& clock,
               const std::vector<asio::io_context*>& loops)
    : clock_{clock}, timeout_{options.timeout} {
  auto shared = link_options(std::move(options));
  std::vector<asio::io_context*> used = loops;
  if (used.empty()) {
    own_ = std::make_unique<OwnLoop>();
    used.push_back(&own_->context);
  }
  links_ = std::make_unique<Links>(used, std::move(shared), clock);
}

Client::~Client() {
  stop();
}

Deadline Client::bounded(Deadline deadline) const {
  return {std::min(deadline.at, clock_.now() + timeout_)};
}

Task<Outcome<Reply>> Client::call(Command command, Deadline deadline) {
  if (stopped_) co_return stopped_failure();
  const Deadline until = bounded(deadline);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (const auto link = links_->of(executor)) {
    Outcome<Reply> reply = co_await link->call(std::move(command), until);
    co_return reply;
  }
  const auto link = links_->any();
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
  const auto here = links_->of_this_thread();
  const auto link = here ? here : links_->any();
  if (!link->reserve()) return;
  if (here) return link->send(std::move(command));
  asio::post(link->loop(),
             [link, command = std::move(command)]() mutable { link->send(std::move(command)); });
}

Stats Client::stats() const {
  Stats stats;
  for (const auto& link : links_->all()) link->add_to(stats);
  return stats;
}

void Client::stop() {
  if (stopped_.exchange(true)) return;
  for (const auto& link : links_->all()) asio::post(link->loop(), [link] { link->stop(); });
  if (own_) own_->finish();
}

}  // namespace um::redis
