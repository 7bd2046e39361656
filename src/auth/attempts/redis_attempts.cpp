#include "auth/attempts/redis_attempts.hpp"

#include "auth/attempts/redis_attempts_script.hpp"
#include "drivers/redis/client.hpp"

namespace um {
namespace {

constexpr int kWholeSteps = 15;
constexpr std::chrono::milliseconds kMarkStep = std::chrono::seconds{30};

void add_counters(std::vector<std::string>& out, const AttemptSketch::Cells& cells) {
  for (const std::int32_t cell : cells) out.push_back(std::to_string(cell));
}

std::optional<SharedAttempts::Answer> read(const redis::Reply& reply) {
  if (reply.elements.empty()) return std::nullopt;
  const std::string& word_said = reply.elements.front().text;
  if (word_said == "busy") return SharedAttempts::Busy{};
  if (reply.elements.size() != 2) return std::nullopt;
  const std::int64_t number = reply.elements.back().integer;
  if (word_said == "taken") return SharedAttempts::Taken{.place = number};
  if (word_said == "refused")
    return SharedAttempts::Refused{.wait = std::chrono::milliseconds{number}};
  return std::nullopt;
}

}  // namespace

RedisAttempts::RedisAttempts(RedisAttemptsOptions options, redis::Client& client)
    : options_{std::move(options)},
      sketch_{options_.deployment_key},
      name_{options_.prefix + "{guess}:"},
      script_{kAttemptsScript},
      client_{client} {
  check_shared_limits(options_.limits);
}
RedisAttempts::~RedisAttempts() = default;

std::vector<std::string> RedisAttempts::arguments(std::string_view what, const Who& who) const {
  const std::chrono::milliseconds step = options_.limits.window;
  std::vector<std::string> words{std::string{what},
                                 options_.now ? std::to_string(options_.now()) : std::string{},
                                 std::to_string(step.count() / kWholeSteps),
                                 std::to_string(kMarkStep.count()),
                                 std::to_string(options_.limits.failures_per_account),
                                 std::to_string(options_.limits.failures_per_address)};
  add_counters(words, sketch_.account(who.account));
  add_counters(words, sketch_.address(who.address));
  return words;
}

Task<std::optional<SharedAttempts::Answer>> RedisAttempts::take(Who who, Deadline deadline) {
  redis::Client::ScriptCall call{.keys = {name_}, .arguments = arguments("take", who)};
  const redis::Outcome<redis::Reply> reply =
      co_await client_.eval(script_, std::move(call), deadline);
  if (!reply) co_return std::nullopt;
  co_return read(*reply);
}

// By text, because nobody is there to hear that the server does not know the name.
void RedisAttempts::end(const Who& who, Taken place, Outcome outcome) {
  std::vector<std::string> words = arguments("end", who);
  words.push_back(std::to_string(place.place));
  words.emplace_back(outcome == Outcome::failed ? "1" : "0");
  std::vector<std::string_view> command{"EVAL", script_.text(), "1", name_};
  command.insert(command.end(), words.begin(), words.end());
  client_.send(redis::Command{std::span<const std::string_view>{command}});
}

}  // namespace um
