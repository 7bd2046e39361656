#include "chaos/history.hpp"

#include <algorithm>
#include <unordered_map>

namespace um::e2e {
namespace {

using Kind = Operation::Kind;

std::string describe(const Operation& operation) {
  return std::string{operation.kind == Kind::read ? "a read" : "a write"} + " of version " +
         std::to_string(operation.version) + " at instance " + std::to_string(operation.instance);
}

// The newest version of everything that had ended, for moments that are asked for in order.
class Known {
 public:
  Known(const std::vector<Operation>& by_end, std::int64_t initial)
      : next_{by_end.begin()}, end_{by_end.end()}, newest_{initial} {}

  std::int64_t before(BootTime moment) {
    for (; next_ != end_ && next_->end < moment; ++next_) {
      newest_ = std::max(newest_, next_->version);
    }
    return newest_;
  }

 private:
  std::vector<Operation>::const_iterator next_;
  std::vector<Operation>::const_iterator end_;
  std::int64_t newest_;
};

std::vector<Operation> writes_of(const std::vector<Operation>& by_end, std::size_t instance) {
  std::vector<Operation> writes;
  std::ranges::copy_if(by_end, std::back_inserter(writes), [&](const Operation& operation) {
    return operation.kind == Kind::write && operation.instance == instance;
  });
  return writes;
}

}  // namespace

std::vector<std::string> violations(std::vector<Operation> history, const Promise& promise) {
  std::vector<std::string> found;
  std::unordered_map<std::int64_t, Operation> writes;
  std::size_t instances = 1;
  for (const auto& operation : history) {
    instances = std::max(instances, operation.instance + 1);
    if (operation.kind == Kind::write && !writes.emplace(operation.version, operation).second) {
      found.push_back("two writes made version " + std::to_string(operation.version));
    }
  }

  auto by_end = history;
  std::ranges::sort(by_end, {}, &Operation::end);
  std::vector<std::vector<Operation>> own_writes;
  std::vector<Known> own;
  own_writes.reserve(instances);
  for (std::size_t i = 0; i < instances; ++i) {
    own.emplace_back(own_writes.emplace_back(writes_of(by_end, i)), promise.initial);
  }
  Known known{by_end, promise.initial};
  Known known_to_all{by_end, promise.initial};

  std::ranges::sort(history, {}, &Operation::begin);
  for (const auto& operation : history) {
    const bool is_read = operation.kind == Kind::read;
    const auto newest = is_read ? std::max(known_to_all.before(operation.begin - promise.staleness),
                                           own[operation.instance].before(operation.begin))
                                : known.before(operation.begin);
    if (is_read ? operation.version < newest : operation.version <= newest) {
      found.push_back(describe(operation) + " although " + std::to_string(newest) +
                      " had to be known when it began");
    }
    if (!is_read || operation.version <= promise.initial) continue;
    const auto write = writes.find(operation.version);
    if (write == writes.end()) {
      found.push_back(describe(operation) + ", which nobody wrote");
    } else if (write->second.begin > operation.end) {
      found.push_back(describe(operation) + " before its write began");
    }
  }
  return found;
}

}  // namespace um::e2e
