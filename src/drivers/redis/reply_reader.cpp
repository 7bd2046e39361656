#include "drivers/redis/reply_reader.hpp"

#include <charconv>
#include <new>
#include <stdexcept>

#include <hiredis/read.h>

namespace um::redis {
namespace {

// The state that the callbacks of one reader share. C code calls them, so they throw nothing;
// nullptr makes hiredis report an error.
struct Budget {
  ReplyLimits limits;
  std::size_t elements_left = 0;
  const char* exceeded = nullptr;
};

Budget& budget_of(const redisReadTask* task) {
  return *static_cast<Budget*>(task->privdata);
}

// The place of a new reply: in its parent, which has room for it, or it is the root.
Reply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) Reply;
  auto* parent = static_cast<Reply*>(task->parent->obj);
  return &parent->elements[static_cast<std::size_t>(task->idx)];
}

template <class Fill>
void* make(const redisReadTask* task, Fill fill) noexcept {
  Reply* reply = place_of(task);
  if (reply == nullptr) return nullptr;
  try {
    fill(*reply);
    return reply;
  } catch (const std::bad_alloc&) {
    if (task->parent == nullptr) delete reply;
    return nullptr;
  }
}

Reply::Kind kind_of(int type) {
  if (type == REDIS_REPLY_STATUS) return Reply::Kind::status;
  if (type == REDIS_REPLY_ERROR) return Reply::Kind::error;
  return Reply::Kind::text;
}

void* make_string(const redisReadTask* task, char* bytes, std::size_t size) {
  Budget& budget = budget_of(task);
  if (size > budget.limits.text_bytes) {
    budget.exceeded = "a text is too long";
    return nullptr;
  }
  return make(task, [&](Reply& reply) {
    reply.kind = kind_of(task->type);
    reply.text.assign(bytes, size);
  });
}

void* make_array(const redisReadTask* task, int count) {
  Budget& budget = budget_of(task);
  const auto elements = static_cast<std::size_t>(count);
  if (count < 0 || elements > budget.elements_left) {
    budget.exceeded = "an array is too long";
    return nullptr;
  }
  budget.elements_left -= elements;
  return make(task, [&](Reply& reply) {
    reply.kind = Reply::Kind::array;
    reply.elements.resize(elements);
  });
}

void* make_integer(const redisReadTask* task, long long value) {
  return make(task, [&](Reply& reply) {
    reply.kind = Reply::Kind::integer;
    reply.integer = value;
  });
}

void* make_nil(const redisReadTask* task) {
  return make(task, [](Reply& reply) { reply.kind = Reply::Kind::nil; });
}

// hiredis calls it with roots only.
void free_reply(void* reply) {
  delete static_cast<Reply*>(reply);
}

}  // namespace

struct ReplyReader::Hiredis {
  explicit Hiredis(ReplyLimits limits)
      : budget{.limits = limits, .elements_left = limits.elements} {
    if (reader == nullptr) throw std::bad_alloc{};
    reader->privdata = &budget;
  }
  ~Hiredis() { ::redisReaderFree(reader); }
  Hiredis(const Hiredis&) = delete;
  Hiredis& operator=(const Hiredis&) = delete;

  std::size_t buffered() const { return reader->len - reader->pos; }

  // The length of a text is known long before its end arrives, so a text that is too long is
  // refused at once. Between two pieces hiredis stands behind the character of the type.
  bool announces_too_much() const {
    if (reader->ridx < 0 || reader->rstack[reader->ridx].type != REDIS_REPLY_STRING) return false;
    const char* first = reader->buf + reader->pos;
    std::size_t announced = 0;
    const std::errc read = std::from_chars(first, first + buffered(), announced).ec;
    if (read == std::errc::result_out_of_range) return true;
    return read == std::errc{} && announced > budget.limits.text_bytes;
  }

  redisReplyObjectFunctions functions{make_string, make_array, make_integer, make_nil, free_reply};
  Budget budget;
  redisReader* reader = ::redisReaderCreateWithFunctions(&functions);
  std::size_t reply_bytes = 0;  // of the reply that is not complete yet
  std::string error{};
};

ReplyReader::ReplyReader(ReplyLimits limits) : hiredis_{std::make_unique<Hiredis>(limits)} {}
ReplyReader::~ReplyReader() = default;

std::expected<std::vector<Reply>, std::string> ReplyReader::read(std::string_view bytes) {
  Hiredis& state = *hiredis_;
  auto broken = [&](std::string why) {
    state.error = std::move(why);
    return std::unexpected{state.error};
  };
  if (!state.error.empty()) return std::unexpected{state.error};
  if (::redisReaderFeed(state.reader, bytes.data(), bytes.size()) != REDIS_OK)
    return broken(printable(state.reader->errstr));
  state.reply_bytes += bytes.size();

  std::vector<Reply> replies;
  for (;;) {
    void* raw = nullptr;
    if (::redisReaderGetReply(state.reader, &raw) != REDIS_OK) {
      return broken(state.budget.exceeded != nullptr ? state.budget.exceeded
                                                     : printable(state.reader->errstr));
    }
    if (raw == nullptr) break;
    const std::unique_ptr<Reply> reply{static_cast<Reply*>(raw)};
    replies.push_back(std::move(*reply));
    state.budget.elements_left = state.budget.limits.elements;
    state.reply_bytes = state.buffered();
  }
  if (state.announces_too_much()) return broken("a text is too long");
  if (state.reply_bytes > state.budget.limits.reply_bytes) return broken("a reply is too long");
  return replies;
}

}  // namespace um::redis
