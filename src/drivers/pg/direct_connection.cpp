#include "drivers/pg/direct_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <climits>
#include <libpq-fe.h>

#include "drivers/pg/libpq.hpp"

namespace um::pg {
namespace {

constexpr std::chrono::milliseconds kResolveStep{10};  // how soon giving up is noticed

int milliseconds_until(BootTime end, BootTime now) {
  if (end <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
}

struct Target {
  const Host* host;
  std::string address;  // empty: a local socket
};

// Whether bytes, or the end, can be read without waiting.
bool has_input(PGconn* connection) {
  pollfd now{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
  return decrypted_bytes_wait(connection) || ::poll(&now, 1, 0) > 0;
}

}  // namespace

Interrupt::Interrupt() : descriptor_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

Interrupt::~Interrupt() {
  ::close(descriptor_);
}

void Interrupt::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

bool Interrupt::interrupted() const {
  pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void Interrupt::sleep(std::chrono::nanoseconds at_most) const {
  pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec time{.tv_sec = std::max<std::int64_t>(seconds.count(), 0),
                      .tv_nsec = std::max<std::int64_t>((at_most - seconds).count(), 0)};
  ::ppoll(&waiting, 1, &time, nullptr);
}

struct BlockingResolver::Loop {
  boost::asio::io_context context{1};
  boost::asio::ip::tcp::resolver resolver{context};
};

BlockingResolver::BlockingResolver(const Clock& clock)
    : clock_{clock}, loop_{std::make_unique<Loop>()} {}
BlockingResolver::~BlockingResolver() = default;

std::vector<std::string> BlockingResolver::resolve(const std::string& name, Deadline deadline,
                                                   const std::function<bool()>& give_up) {
  struct Question {
    bool answered = false;
    std::vector<std::string> addresses;
  };
  const auto question = std::make_shared<Question>();  // outlives a call that gave up
  loop_->resolver.async_resolve(
      name, "", [question](const boost::system::error_code& error, const auto& found) {
        question->answered = true;
        if (error) return;
        for (const auto& entry : found)
          question->addresses.push_back(entry.endpoint().address().to_string());
      });
  while (!question->answered && !deadline.passed(clock_.now()) && !give_up()) {
    loop_->context.restart();
    loop_->context.run_one_for(kResolveStep);
  }
  if (!question->answered) loop_->resolver.cancel();
  return question->addresses;
}

void DirectConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

DirectConnection::Ready DirectConnection::wait_for(short events, Deadline deadline) const {
  if ((events & POLLIN) != 0 && decrypted_bytes_wait(connection_.get())) return Ready::yes;
  pollfd waiting[2] = {{.fd = PQsocket(connection_.get()), .events = events, .revents = 0},
                       {.fd = interrupt_.descriptor(), .events = POLLIN, .revents = 0}};
  while (true) {
    const int timeout =
        deadline.at == BootTime::max() ? -1 : milliseconds_until(deadline.at, clock_.now());
    const int ready = ::poll(waiting, 2, timeout);
    if (ready < 0 && errno == EINTR) continue;
    if (waiting[1].revents != 0) return Ready::interrupted;
    return ready > 0 ? Ready::yes : Ready::deadline;
  }
}

// Whether the server has answered everything, or the socket has ended. Waits for nothing.
bool DirectConnection::former_ended() {
  if (!former_) return true;
  PGconn* connection = former_.get();
  bool ended =
      interrupt_.interrupted() || PQflush(connection) < 0 || PQstatus(connection) == CONNECTION_BAD;
  while (!ended && has_input(connection)) {
    ended = PQconsumeInput(connection) == 0;
    while (!ended && PQisBusy(connection) == 0) ended = !ResultPtr{PQgetResult(connection)};
  }
  if (ended) former_.reset();
  return ended;
}

Failure DirectConnection::given_up(Ready why) {
  if (why == Ready::interrupted) {
    former_.reset();
    return {.kind = Failure::lost, .message = "interrupted"};
  }
  return {.kind = Failure::timeout, .message = "no answer in time"};
}

Failure DirectConnection::gone() {
  Failure failure{.kind = Failure::lost, .message = first_line_of_error(connection_.get())};
  close();
  return failure;
}

Outcome<void> DirectConnection::open(const Options& options, Deadline deadline) {
  if (!former_ended()) {
    return failed(
        {.kind = Failure::lost, .message = "the former connection waits for an overdue answer"});
  }
  auto info = ConnectionInfo::parse(options.url);
  if (!info) return failed({.kind = Failure::refused, .message = info.error().detail});
  info->set_defaults_of(options.application_name);
  std::vector<Target> targets;
  for (const Host& host : info->hosts()) {
    if (auto address = host.address_without_resolving()) {
      targets.push_back({.host = &host, .address = std::move(*address)});
      continue;
    }
    const Deadline share = deadline.no_later_than(share_of(deadline, 2));
    for (auto& address : resolver_.resolve(host.name_to_resolve(), share,
                                           [this] { return interrupt_.interrupted(); }))
      targets.push_back({.host = &host, .address = std::move(address)});
  }
  Outcome<void> opened =
      failed({.kind = Failure::lost, .message = "the database's host name cannot be resolved"});
  for (std::size_t i = 0; i < targets.size() && !opened && !interrupt_.interrupted(); ++i) {
    const Target& target = targets[i];
    const char* address = target.address.empty() ? nullptr : target.address.c_str();
    const Deadline share = deadline.no_later_than(share_of(deadline, targets.size() - i));
    opened = connect(info->keywords(*target.host, address), share);
  }
  return opened;
}

// The end of the first of `parts` equal parts of the time that is left.
BootTime DirectConnection::share_of(Deadline deadline, std::size_t parts) const {
  const BootTime now = clock_.now();
  if (deadline.at == BootTime::max() || deadline.passed(now)) return deadline.at;
  return now + (deadline.at - now) / static_cast<std::int64_t>(parts);
}

Outcome<void> DirectConnection::connect(const ConnectionInfo::Keywords& keywords,
                                        Deadline deadline) {
  prepared_.clear();
  notifications_.clear();
  connection_.reset(PQconnectStartParams(keywords.names.data(), keywords.values.data(), 0));
  if (!connection_) throw std::bad_alloc{};
  ignore_notices(connection_.get());
  auto polling = PGRES_POLLING_WRITING;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) polling = PGRES_POLLING_FAILED;
  while (polling != PGRES_POLLING_OK) {
    if (polling == PGRES_POLLING_FAILED) return failed(gone());
    const Ready ready = wait_for(polling == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (ready != Ready::yes) {
      close();
      return failed(given_up(ready));
    }
    polling = PQconnectPoll(connection_.get());
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) return failed(gone());
  return {};
}

// Until everything is sent and the answer has arrived.
Outcome<void> DirectConnection::flush_and_receive(Deadline deadline) {
  while (true) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) return failed(gone());
    if (unsent == 0 && PQisBusy(connection_.get()) == 0) return {};
    const Ready ready = wait_for(unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline);
    if (ready != Ready::yes) {
      former_ = std::move(connection_);
      return failed(given_up(ready));
    }
    if (PQconsumeInput(connection_.get()) == 0) return failed(gone());
  }
}

// One result; the rest of the answer (there is none but the end) is read as well.
Outcome<Rows> DirectConnection::receive(Deadline deadline) {
  ResultPtr first;
  while (true) {
    Outcome<void> here = flush_and_receive(deadline);
    if (!here) return failed(std::move(here.error()));
    ResultPtr result{PQgetResult(connection_.get())};
    if (!result) break;
    if (!first) first = std::move(result);
  }
  if (PQstatus(connection_.get()) == CONNECTION_BAD) return failed(gone());
  const auto status = PQresultStatus(first.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    Failure failure = failure_of(first.get());
    if (failure.kind == Failure::lost) close();
    return failed(std::move(failure));
  }
  return Rows{std::move(first), nullptr};
}

Outcome<void> DirectConnection::prepare(const Query& query, Deadline deadline) {
  if (std::ranges::find(prepared_, &query) != prepared_.end()) return {};
  const std::string name{query.name};
  const std::string sql{query.sql};
  if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 0)
    return failed(gone());
  Outcome<Rows> done = receive(deadline);
  if (!done) return failed(std::move(done.error()));
  prepared_.push_back(&query);
  return {};
}

Outcome<Rows> DirectConnection::run(const Query& query, const Params& params, Deadline deadline) {
  if (!connection_) return failed({.kind = Failure::lost, .message = "not connected"});
  Outcome<void> prepared = prepare(query, deadline);
  if (!prepared) return failed(std::move(prepared.error()));
  const ParamArrays arrays{params};
  const std::string name{query.name};
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), arrays.count(), arrays.values.data(),
                          arrays.lengths.data(), arrays.formats.data(), 0) == 0)
    return failed(gone());
  Outcome<Rows> answer = receive(deadline);
  return answer;
}

Outcome<void> DirectConnection::wait(Deadline deadline) {
  if (!connection_) return failed({.kind = Failure::lost, .message = "not connected"});
  collect_notifications();  // a statement may have read some
  if (!notifications_.empty()) return {};
  if (wait_for(POLLIN, deadline) != Ready::yes) return {};
  if (PQconsumeInput(connection_.get()) == 0) return failed(gone());
  collect_notifications();
  return {};
}

std::vector<Notification> DirectConnection::take_notifications() {
  if (connection_) collect_notifications();
  return std::exchange(notifications_, {});
}

void DirectConnection::collect_notifications() {
  while (PGnotify* notification = PQnotifies(connection_.get())) {
    notifications_.push_back({.channel = notification->relname, .payload = notification->extra});
    PQfreemem(notification);
  }
}

}  // namespace um::pg
