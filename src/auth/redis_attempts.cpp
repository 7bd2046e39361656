#include "auth/redis_attempts.hpp"

#include <stdexcept>

#include "auth/redis_attempts_script.hpp"
#include "base/hmac.hpp"
#include "drivers/redis/client.hpp"

namespace um {
namespace {

constexpr std::size_t kRows = 4;
constexpr unsigned kBitsPerRow = 16;             // of one 64-bit hash
constexpr std::uint64_t kAccountCells = 32'768;  // per row; powers of two
constexpr std::uint64_t kAddressCells = 8'192;
constexpr int kWholeSteps = 15;
constexpr std::chrono::milliseconds kMarkStep = std::chrono::seconds{30};
constexpr int kHighestLimit = 30'000;  // the counters have 16 bits

std::uint64_t word(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

SipKey sip_key(const Secret& deployment_key) {
  const std::string bytes =
      hmac_sha256({.key = deployment_key.reveal(), .text = "user-manager attempts"});
  const std::string_view view = bytes;
  return {.k0 = word(view.substr(0, 8)), .k1 = word(view.substr(8, 8))};
}

struct Sketch {
  SipKey key;
  std::uint64_t cells;
};
void add_counters(std::vector<std::string>& out, const Sketch& sketch, std::string_view name) {
  const std::uint64_t hash = siphash_2_4(sketch.key, name);
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::uint64_t cell = hash >> (kBitsPerRow * row) & (sketch.cells - 1);
    out.push_back(std::to_string(row * sketch.cells + cell));
  }
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
      key_{sip_key(options_.deployment_key)},
      name_{options_.prefix + "{guess}:"},
      script_{kAttemptsScript},
      client_{client} {
  const AttemptLimits& limits = options_.limits;
  for (const int limit : {limits.failures_per_account, limits.failures_per_address}) {
    if (limit < 1 || limit > kHighestLimit)
      throw std::invalid_argument("a limit of attempts is out of range");
  }
  if (limits.window < std::chrono::minutes{1})
    throw std::invalid_argument("the window of attempts must be positive");
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
  add_counters(words, {.key = key_, .cells = kAccountCells}, who.account);
  add_counters(words, {.key = key_, .cells = kAddressCells}, who.address);
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
